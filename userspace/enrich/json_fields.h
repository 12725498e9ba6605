// Reading members of JSON that somebody else wrote: a wrong type reads like an absent member.
#ifndef ROSTER_USERSPACE_ENRICH_JSON_FIELDS_H_
#define ROSTER_USERSPACE_ENRICH_JSON_FIELDS_H_

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace roster {

// DATA_LOSS naming `object` for what is no JSON, is nested deeper than 64 levels, or has more than
// 500,000 values: 8 MiB of "[],[]," would take twenty times that in memory.
absl::StatusOr<nlohmann::json> ParseForeignJson(std::string_view text, std::string_view object);

// nullptr where `value` is no object or has no such member.
const nlohmann::json* Member(const nlohmann::json& value, const char* name);
// "" where absent or no string.
std::string StringMember(const nlohmann::json& value, const char* name);
// 0 where absent, no integer, or out of range.
int64_t IntegerMember(const nlohmann::json& value, const char* name);
bool BoolMember(const nlohmann::json& value, const char* name);
// The kernel's limit.
inline constexpr uint32_t kMaxPid = 1 << 22;
// A pid from 1 to that, else 0.
uint32_t PidMember(const nlohmann::json& value, const char* name);
// Members that are no strings are left out.
std::map<std::string, std::string> StringMapMember(const nlohmann::json& value, const char* name);

// "2026-11-24T11:30:09.229366106Z" in nanoseconds since the epoch; 0 for anything else, and for
// what is before the epoch, as Go's zero time is.
int64_t ParseTimestamp(const std::string& text);

}  // namespace roster

#endif  // ROSTER_USERSPACE_ENRICH_JSON_FIELDS_H_

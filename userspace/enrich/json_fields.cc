#include "enrich/json_fields.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "text/quote.h"
#include "text/string_view.h"

namespace roster {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 64;
constexpr size_t kMaxValues = 500'000;

}  // namespace

absl::StatusOr<json> ParseForeignJson(std::string_view text, std::string_view object) {
  size_t values = 0;
  bool too_deep = false;
  const auto bounded = [&](int depth, json::parse_event_t event, const json&) {
    if (event == json::parse_event_t::object_end || event == json::parse_event_t::array_end ||
        event == json::parse_event_t::key) {
      return true;
    }
    if (depth > kMaxDepth) too_deep = true;
    return ++values <= kMaxValues && depth <= kMaxDepth;
  };
  json value = json::parse(text.begin(), text.end(), bounded, /*allow_exceptions=*/false);
  if (too_deep) {
    return absl::DataLossError(
        absl::StrCat("parse ", ToAbsl(object), ": more than ", kMaxDepth, " levels"));
  }
  if (values > kMaxValues) {
    return absl::DataLossError(
        absl::StrCat("parse ", ToAbsl(object), ": more than ", kMaxValues, " values"));
  }
  if (value.is_discarded()) {
    return absl::DataLossError(
        absl::StrCat("parse ", ToAbsl(object), ": no JSON: ", QuoteForMessage(text)));
  }
  return value;
}

const json* Member(const json& value, const char* name) {
  if (!value.is_object()) return nullptr;
  const auto found = value.find(name);
  return found == value.end() ? nullptr : &*found;
}

std::string StringMember(const json& value, const char* name) {
  const json* member = Member(value, name);
  return member != nullptr && member->is_string() ? member->get<std::string>() : "";
}

int64_t IntegerMember(const json& value, const char* name) {
  const json* member = Member(value, name);
  if (member == nullptr || !member->is_number_integer()) return 0;
  if (member->is_number_unsigned() && member->get<uint64_t>() > INT64_MAX) return 0;
  return member->get<int64_t>();
}

bool BoolMember(const json& value, const char* name) {
  const json* member = Member(value, name);
  return member != nullptr && member->is_boolean() && member->get<bool>();
}

uint32_t PidMember(const json& value, const char* name) {
  const int64_t pid = IntegerMember(value, name);
  return pid >= 1 && pid <= kMaxPid ? static_cast<uint32_t>(pid) : 0;
}

std::map<std::string, std::string> StringMapMember(const json& value, const char* name) {
  std::map<std::string, std::string> result;
  const json* member = Member(value, name);
  if (member == nullptr || !member->is_object()) return result;
  for (const auto& [key, text] : member->items()) {
    if (text.is_string()) result.emplace(key, text.get<std::string>());
  }
  return result;
}

int64_t ParseTimestamp(const std::string& text) {
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, &error)) return 0;
  if (time == absl::InfiniteFuture() || time < absl::UnixEpoch()) return 0;
  return absl::ToUnixNanos(time);
}

}  // namespace roster

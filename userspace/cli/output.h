// Containers and events as JSON and YAML.
#ifndef ROSTER_USERSPACE_CLI_OUTPUT_H_
#define ROSTER_USERSPACE_CLI_OUTPUT_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "cli/entry.h"
#include "nlohmann/json.hpp"

namespace roster::cli {

// The keys are those of roster/json.h, which are Inspektor Gadget's; what only Roster knows is in
// one more object, "roster": {"handle", "state", "flags", "ociRuntime", "createdAt"}.
std::string EntryJson(const Entry& entry);                   // one line, not ended
std::string EntryJsonPretty(const Entry& entry);             // indented, ended
std::string EntriesJson(const std::vector<Entry>& entries);  // an array, indented, ended
std::string EntryYaml(const Entry& entry);
std::string EntriesYaml(const std::vector<Entry>& entries);

// {"timestamp":...,"event":NAME,"container":{...}} in one line, not ended.
std::string EventJson(std::string_view name, absl::Time time, const Entry& entry);

// Block style; strings are quoted unless every YAML reader takes them for what they are. Ended.
std::string ToYaml(const nlohmann::ordered_json& value);

// Writes to standard output and flushes; false where nobody reads any more.
bool Print(std::string_view text);
// "roster: TEXT" on standard error, escaped.
void PrintError(std::string_view text);
void PrintNotice(std::string_view text);

// Standard output is a terminal that shows attributes and the user has not set NO_COLOR.
bool StdoutIsColourful();

}  // namespace roster::cli

#endif  // ROSTER_USERSPACE_CLI_OUTPUT_H_

// Options that several subcommands share.
#ifndef ROSTER_USERSPACE_CLI_FLAGS_H_
#define ROSTER_USERSPACE_CLI_FLAGS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/columns.h"
#include "cli/command.h"
#include "cli/entries.h"
#include "roster.pb.h"

namespace roster::cli {

// Each adds its options to the command, with their defaults; the first argument outlives it.
void AddSocketOption(Paths* paths, Command* command);
void AddPinDirOption(Paths* paths, Command* command);
void AddStateDirOption(Paths* paths, Command* command);

struct SelectorFlags {
  std::string namespace_name;
  std::string pod;
  std::string container;
  std::vector<std::string> labels;
  std::string runtime;
};
void AddSelectorOptions(SelectorFlags* flags, Command* command);
// INVALID_ARGUMENT names the flag and its value.
absl::StatusOr<v1::Selector> ToSelector(const SelectorFlags& flags);

enum class Format { kTable, kWide, kJson, kYaml, kColumns };
struct OutputFormat {
  Format format = Format::kTable;
  std::vector<const EntryColumn*> columns;  // of the first, second and last
};
// "table", "wide", "json", "yaml", "columns=a,b". INVALID_ARGUMENT names what is known.
absl::StatusOr<OutputFormat> ParseOutputFormat(std::string_view text);

}  // namespace roster::cli

#endif  // ROSTER_USERSPACE_CLI_FLAGS_H_

// Options that several subcommands share.
#ifndef ROSTER_USERSPACE_CLI_FLAGS_H_
#define ROSTER_USERSPACE_CLI_FLAGS_H_

#include <string>
#include <string_view>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "cli/columns.h"
#include "cli/entries.h"
#include "roster.pb.h"

namespace roster::cli {

void AddSocketFlag(CLI::App* app, Paths* paths);
void AddPinDirFlag(CLI::App* app, Paths* paths);
void AddStateDirFlag(CLI::App* app, Paths* paths);

struct SelectorFlags {
  std::string namespace_name;
  std::string pod;
  std::string container;
  std::vector<std::string> labels;
  std::string runtime;
};
void AddSelectorFlags(CLI::App* app, SelectorFlags* flags);
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

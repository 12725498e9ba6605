// roster list: the table of containers.
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "cli/commands.h"
#include "cli/entries.h"
#include "cli/flags.h"
#include "cli/follow.h"
#include "cli/output.h"
#include "cli/table.h"
#include "kernel/errors.h"

namespace roster::cli {
namespace {

constexpr char kExamples[] = R"(  roster list
  roster list -o wide --sort=-age
  roster list -n shop -p 'web-1,web-2' -l 'tier!=cache'
  roster list -o columns=name,pid,mntns --no-headers
  roster list -o json | jq '.[].runtime.containerId'
  roster list -w
)";

struct ListOptions {
  Paths paths;
  SelectorFlags selector;
  std::string output = "table";
  std::string sort = "runtime,name";
  bool no_headers = false;
  bool watch = false;
  bool oci_config = false;
};

std::string Render(const OutputFormat& format, Table* table, const std::vector<Entry>& entries) {
  switch (format.format) {
    case Format::kJson:
      return EntriesJson(entries);
    case Format::kYaml:
      return EntriesYaml(entries);
    default:
      return table->Render(entries, absl::Now());
  }
}

// The table, then a line for each event: CREATED and UPDATED as the container is, DELETED with
// status "ended".
absl::Status ListAndWatch(const ListOptions& options, const v1::Selector& selector,
                          const OutputFormat& format, Table* table) {
  if (format.format == Format::kYaml)
    return absl::InvalidArgumentError("-o yaml: cannot be watched; use -o json");
  const bool json = format.format == Format::kJson;
  ROSTER_RETURN_IF_ERROR(SortEntries(options.sort, nullptr));
  if (!json) {
    // For the widths; the watch tells of these again, which is not shown.
    ROSTER_ASSIGN_OR_RETURN(std::vector<Entry> entries,
                            ListEntries(options.paths, selector, options.oci_config));
    ROSTER_RETURN_IF_ERROR(SortEntries(options.sort, &entries));
    Print(table->Render(entries, absl::Now()));
  }
  return Follow(options.paths, {.selector = selector, .include_oci_config = options.oci_config},
                [&](std::string_view name, absl::Time time, const Entry& entry) {
                  if (json) return Print(EventJson(name, time, entry) + "\n");
                  if (name == "EXISTING") return true;
                  return Print(table->RenderRow(entry, absl::Now()));
                });
}

absl::Status List(const ListOptions& options) {
  ROSTER_ASSIGN_OR_RETURN(const v1::Selector selector, ToSelector(options.selector));
  ROSTER_ASSIGN_OR_RETURN(OutputFormat format, ParseOutputFormat(options.output));
  Table table(format.columns, {.headers = !options.no_headers,
                               .bold_headers = StdoutIsColourful(),
                               .shorten = format.format == Format::kTable});
  if (options.watch) return ListAndWatch(options, selector, format, &table);
  ROSTER_RETURN_IF_ERROR(SortEntries(options.sort, nullptr));  // before anything is asked
  ROSTER_ASSIGN_OR_RETURN(std::vector<Entry> entries,
                          ListEntries(options.paths, selector, options.oci_config));
  ROSTER_RETURN_IF_ERROR(SortEntries(options.sort, &entries));
  Print(Render(format, &table, entries));
  return absl::OkStatus();
}

}  // namespace

void AddList(CLI::App* app, Action* action) {
  auto options = std::make_shared<ListOptions>();
  CLI::App* command = AddSubcommand(app, "list", "List the containers on this host", kExamples);
  command->alias("ls");
  command
      ->add_option("-o,--output", options->output, "table, wide, json, yaml, or columns=NAME,...")
      ->type_name("FORMAT")
      ->capture_default_str();
  command->add_option("--sort", options->sort, "Columns to sort by; -NAME: descending")
      ->type_name("NAMES")
      ->capture_default_str();
  command->add_flag("--no-headers", options->no_headers, "Leave the header out");
  command->add_flag("-w,--watch", options->watch, "Then print a line for each change");
  command->add_flag("--oci-config", options->oci_config, "Include config.json in JSON and YAML");
  std::string columns = "\n\nColumns:\n";
  for (const Column& column : AllColumns())
    columns += absl::StrFormat("  %-13s %s\n", column.name, column.help);
  command->footer(command->get_footer() + columns);
  AddSelectorFlags(command, &options->selector);
  AddSocketFlag(command, &options->paths);
  AddPinDirFlag(command, &options->paths);
  command->callback([options, action] { *action = [options] { return Finish(List(*options)); }; });
}

}  // namespace roster::cli

// roster list: the table of containers.
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "cli/commands.h"
#include "cli/entries.h"
#include "cli/event_filter.h"
#include "cli/flags.h"
#include "cli/follow.h"
#include "cli/output.h"
#include "cli/render.h"
#include "kernel/errors.h"

namespace roster::cli {
namespace {

constexpr char kListExamples[] = R"(  roster list
  roster list -o wide --sort=-age
  roster list -n shop -p 'web-1,web-2' -l 'tier!=cache'
  roster list -o columns=name,pid,mntns --no-headers
  roster list --filter 'age:>1h' --filter 'name:~^web' -o columns=+labels
  roster list -o json | jq '.[].runtime.containerId'
  roster list -w --output-watch-events
)";

struct ListOptions {
  Paths paths;
  SelectorFlags selector;
  std::string output = "table";
  std::string sort = "runtime,name";
  bool no_headers = false;
  bool watch = false;
  bool watch_events = false;
  bool oci_config = false;
  std::vector<std::string> filters;
};

// Those that pass the filters, sorted.
absl::StatusOr<std::vector<Entry>> Chosen(const ListOptions& options, const v1::Selector& selector,
                                          const std::vector<EntryFilter>& filters) {
  ROSTER_ASSIGN_OR_RETURN(std::vector<Entry> entries,
                          ListEntries(options.paths, selector, options.oci_config));
  std::erase_if(entries, [&](const Entry& entry) { return !PassesAll(entry, filters); });
  ROSTER_RETURN_IF_ERROR(SortEntries(options.sort, &entries));
  return entries;
}

// As kubectl has them.
std::string_view EventWord(std::string_view name) {
  return name == "DELETED" ? "DELETED" : name == "UPDATED" ? "MODIFIED" : "ADDED";
}

// The table, then a line for each event: CREATED and UPDATED as the container is, DELETED with
// status "ended".
absl::Status ListAndWatch(const ListOptions& options, const v1::Selector& selector,
                          const std::vector<EntryFilter>& filters, const OutputFormat& format,
                          EntryTable* table) {
  if (format.format == Format::kYaml)
    return absl::InvalidArgumentError("-o yaml: cannot be watched; use -o json");
  const bool json = format.format == Format::kJson;
  if (!json) {
    // For the widths; the watch tells of these again, which is not shown.
    ROSTER_ASSIGN_OR_RETURN(std::vector<Entry> entries, Chosen(options, selector, filters));
    for (Entry& entry : entries) entry.event = EventWord("EXISTING");
    Print(table->Render(entries));
  }
  return Follow(options.paths, {.selector = selector, .include_oci_config = options.oci_config},
                [&, shown = EventFilter(filters)](std::string_view name, absl::Time time,
                                                  const Entry& entry) mutable {
                  const std::optional<std::string_view> seen_as = shown.SeenAs(name, entry);
                  if (!seen_as) return true;
                  if (json) return Print(EventJson(*seen_as, time, entry) + "\n");
                  if (*seen_as == "EXISTING") return true;
                  Entry line = entry;
                  line.event = EventWord(*seen_as);
                  return Print(table->Row(line));
                });
}

absl::Status List(const ListOptions& options) {
  ROSTER_ASSIGN_OR_RETURN(const v1::Selector selector, ToSelector(options.selector));
  ROSTER_ASSIGN_OR_RETURN(OutputFormat format, ParseOutputFormat(options.output));
  if (options.watch_events) {
    if (!options.watch)
      return absl::InvalidArgumentError("--output-watch-events: is for a watch; add --watch");
    // JSON has the event in each line in any case.
    format.columns.insert(format.columns.begin(), &EventColumn());
  }
  EntryTable table = MakeTable(format, !options.no_headers);
  // Before anything is asked.
  ROSTER_RETURN_IF_ERROR(CheckSortKeys(options.sort));
  ROSTER_ASSIGN_OR_RETURN(const std::vector<EntryFilter> filters, ParseFilters(options.filters));
  if (options.watch) return ListAndWatch(options, selector, filters, format, &table);
  ROSTER_ASSIGN_OR_RETURN(const std::vector<Entry> entries, Chosen(options, selector, filters));
  Print(RenderAll(format, entries, &table));
  return absl::OkStatus();
}

}  // namespace

Command ListCommand() {
  const auto options = std::make_shared<ListOptions>();
  Command command{.name = "list",
                  .description = "List the containers on this host",
                  .examples = kListExamples,
                  .alias = "ls",
                  .run = [options] { return Finish(List(*options)); }};
  command.options = {
      {"-o,--output", &options->output, "FORMAT",
       "table, wide, json, yaml, columns=NAME,... or columns=+NAME,-NAME"},
      {"--sort", &options->sort, "NAMES", "Columns to sort by; -NAME: descending"},
      {"--filter", &options->filters, "FILTER",
       "COLUMN:VALUE; also :!VALUE, :~REGEX, :>VALUE and so on; may be repeated"},
      {"--no-headers", &options->no_headers, "", "Leave the header out"},
      {"-w,--watch", &options->watch, "", "Then print a line for each change"},
      {"--output-watch-events", &options->watch_events, "",
       "With --watch: first column ADDED, MODIFIED or DELETED"},
      {"--oci-config", &options->oci_config, "", "Include config.json in JSON and YAML"}};
  AddSelectorOptions(&options->selector, &command);
  AddSocketOption(&options->paths, &command);
  AddPinDirOption(&options->paths, &command);
  command.epilog = "\n\nColumns:\n";
  for (const EntryColumn* column : AllColumns().All())
    command.epilog += absl::StrFormat("  %-13s %s\n", column->name, column->description);
  return command;
}

}  // namespace roster::cli

// roster get: one container, by the beginning of its id.
#include <memory>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/entries.h"
#include "cli/flags.h"
#include "cli/output.h"
#include "cli/render.h"
#include "kernel/errors.h"
#include "text/terminal.h"

namespace roster::cli {
namespace {

constexpr char kGetExamples[] = R"(  roster get 4f3a
  roster get 4f3a -o json | jq -r .ociConfig
  roster get 4f3a -o columns=pid --no-headers
)";

struct GetOptions {
  Paths paths;
  std::string id;
  std::string output = "text";
  bool no_headers = false;
};

// "name:  value" for each column that has a value.
std::string Description(const Entry& entry) {
  std::string text;
  for (const EntryColumn* column : AllColumns().All()) {
    if (column->name == "id") continue;  // the whole one is there too
    const std::string value = column->CellText(entry);
    if (value.empty()) continue;
    std::string name = absl::StrCat(column->name, ":");
    name.resize(14, ' ');
    absl::StrAppend(&text, name, EscapeForTerminal(value), "\n");
  }
  return text;
}

absl::Status Get(const GetOptions& options) {
  OutputFormat format;
  if (options.output != "text") {
    ROSTER_ASSIGN_OR_RETURN(format, ParseOutputFormat(options.output));
  }
  ROSTER_ASSIGN_OR_RETURN(const Entry entry, GetEntry(options.paths, options.id));
  if (options.output == "text") {
    Print(Description(entry));
  } else {
    Print(RenderOne(format, !options.no_headers, entry));
  }
  return absl::OkStatus();
}

}  // namespace

Command GetCommand() {
  const auto options = std::make_shared<GetOptions>();
  Command command{.name = "get",
                  .description = "Show one container, by its id or the beginning of it",
                  .examples = kGetExamples,
                  .run = [options] { return Finish(Get(*options)); }};
  command.options = {{"ID", &options->id, "", "Container id, or a beginning that no other has"},
                     {"-o,--output", &options->output, "FORMAT",
                      "text, json, yaml, table, wide, or columns=NAME,..."},
                     {"--no-headers", &options->no_headers, "", "Leave a table's header out"}};
  AddSocketOption(&options->paths, &command);
  AddPinDirOption(&options->paths, &command);
  return command;
}

}  // namespace roster::cli

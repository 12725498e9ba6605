// roster watch: one line for each event.
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/columns.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/follow.h"
#include "cli/output.h"
#include "kernel/errors.h"
#include "text/terminal.h"

namespace roster::cli {
namespace {

constexpr char kWatchExamples[] = R"(  roster watch
  roster watch -o json | jq -r '.event + " " + .container.runtime.containerName'
  roster watch -n shop --existing
)";

struct WatchOptions {
  Paths paths;
  SelectorFlags selector;
  std::string output = "text";
  bool existing = false;
  bool precreate = false;
  bool oci_config = false;
  bool no_reconnect = false;
};

// Padded to `width`, never shortened: what is cut cannot be looked for.
std::string Cell(std::string_view text, size_t width) {
  std::string cell = EscapeForTerminal(text.empty() ? "-" : text);
  const size_t used = DisplayWidth(cell);
  if (used < width) cell.append(width - used, ' ');
  return cell;
}

std::string TextLine(std::string_view name, absl::Time time, const Entry& entry) {
  const Container& container = entry.container;
  return absl::StrCat(absl::FormatTime("%Y-%m-%dT%H:%M:%E3S%Ez", time, absl::LocalTimeZone()), "  ",
                      Cell(name, 9), "  ", Cell(container.runtime.runtime_name, 10), "  ",
                      Cell(container.runtime.container_id.substr(0, 12), 12), "  ",
                      Cell(DisplayName(entry), 24), "  ",
                      Cell(container.runtime.container_image_name, 24),
                      "  pid=", container.runtime.container_pid, " mntns=", container.mntns, "\n");
}

absl::Status Watch(const WatchOptions& options) {
  if (options.output != "text" && options.output != "json") {
    return absl::InvalidArgumentError(
        absl::StrCat("-o \"", options.output, "\" is not known; there are text and json"));
  }
  ROSTER_ASSIGN_OR_RETURN(const v1::Selector selector, ToSelector(options.selector));
  const bool json = options.output == "json";
  return Follow(
      options.paths,
      {.selector = selector,
       .include_precreate = options.precreate,
       .include_oci_config = options.oci_config,
       .reconnect = !options.no_reconnect},
      [&](std::string_view name, absl::Time time, const Entry& entry) {
        if (name == "EXISTING" && !options.existing) return true;
        return Print(json ? EventJson(name, time, entry) + "\n" : TextLine(name, time, entry));
      });
}

}  // namespace

Command WatchCommand() {
  const auto options = std::make_shared<WatchOptions>();
  Command command{.name = "watch",
                  .description = "Report containers as they come, change and go",
                  .examples = kWatchExamples,
                  .run = [options] { return Finish(Watch(*options)); }};
  command.options = {
      {"-o,--output", &options->output, "FORMAT", "text, or json: one object a line"},
      {"--existing", &options->existing, "",
       "Begin with an EXISTING event for each container there is"},
      {"--precreate", &options->precreate, "",
       "Also tell when a runtime is asked to create a container; no selector applies"},
      {"--oci-config", &options->oci_config, "", "Include config.json in JSON"},
      {"--no-reconnect", &options->no_reconnect, "",
       "End with an error when the daemon goes away, instead of waiting for it"}};
  AddSelectorOptions(&options->selector, &command);
  AddSocketOption(&options->paths, &command);
  return command;
}

}  // namespace roster::cli

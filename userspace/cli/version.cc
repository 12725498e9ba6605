// roster version: of the program, of its ABI, and of the daemon that runs.
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/daemon_client.h"
#include "cli/entries.h"
#include "cli/flags.h"
#include "cli/output.h"
#include "daemon/daemon.h"
#include "nlohmann/json.hpp"
#include "roster_abi.h"

namespace roster::cli {
namespace {

constexpr char kVersionExamples[] = R"(  roster version
  roster version -o json
)";

struct VersionOptions {
  Paths paths;
  std::string output = "text";
};

absl::Status Version(const VersionOptions& options) {
  if (options.output != "text" && options.output != "json") {
    return absl::InvalidArgumentError(
        absl::StrCat("-o \"", options.output, "\" is not known; there are text and json"));
  }
  const std::string abi = absl::StrCat(ROSTER_ABI_MAJOR, ".", ROSTER_ABI_MINOR);
  std::string daemon;
  if (absl::StatusOr<DaemonClient> client = DaemonClient::Connect(options.paths.socket);
      client.ok()) {
    if (const auto health = client->Health(); health.ok()) daemon = health->version();
  }
  if (options.output == "json") {
    nlohmann::ordered_json json = {{"version", kRosterVersion}, {"abi", abi}};
    if (!daemon.empty()) json["daemon"] = daemon;
    Print(json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
  } else {
    Print(absl::StrCat("roster ", std::string(kRosterVersion), "\nabi    ", abi, "\ndaemon ",
                       daemon.empty() ? "not running" : daemon, "\n"));
  }
  return absl::OkStatus();
}

}  // namespace

Command VersionCommand() {
  const auto options = std::make_shared<VersionOptions>();
  Command command{.name = "version",
                  .description = "Show the versions of program, ABI and daemon",
                  .examples = kVersionExamples,
                  .run = [options] { return Finish(Version(*options)); }};
  command.options = {{"-o,--output", &options->output, "FORMAT", "text or json"}};
  AddSocketOption(&options->paths, &command);
  return command;
}

}  // namespace roster::cli

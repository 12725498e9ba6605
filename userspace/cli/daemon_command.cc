// roster daemon: the command line of the daemon.
#include <unistd.h>

#include <memory>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/identity.h"
#include "daemon/daemon.h"
#include "kernel/errors.h"
#include "log/log.h"

namespace roster::cli {
namespace {

constexpr char kDaemonExamples[] = R"(  roster daemon
  roster daemon --hold-deadline 50ms --log-level debug
  systemctl start roster
)";

struct DaemonFlags {
  DaemonOptions options;
  std::string hold_deadline = "100ms";
  std::string host_mntns;
  std::string log_level = "info";
  std::string log_format = "auto";
};

absl::Status Run(DaemonFlags flags) {
  DaemonOptions& options = flags.options;
  if (options.socket.empty()) options.socket = options.state_dir + "/roster.sock";
  if (!absl::ParseDuration(flags.hold_deadline, &options.hold_deadline)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--hold-deadline \"", flags.hold_deadline,
                     "\": is not a duration; write for example 100ms"));
  }
  if (!flags.host_mntns.empty()) {
    ROSTER_ASSIGN_OR_RETURN(options.host_mntns, ParseNamespace("mnt", flags.host_mntns));
  }
  ROSTER_ASSIGN_OR_RETURN(options.log_level, ParseLogLevel(flags.log_level));
  ROSTER_ASSIGN_OR_RETURN(options.log_format, ParseLogFormat(flags.log_format));
  ROSTER_RETURN_IF_ERROR(CheckDaemonOptions(options));
  if (geteuid() != 0) {
    return absl::PermissionDeniedError(absl::StrCat(
        "roster daemon: must be run by root, not by user ", geteuid(), "; see: roster doctor"));
  }
  return RunDaemon(options);
}

}  // namespace

Command DaemonCommand() {
  const auto flags = std::make_shared<DaemonFlags>();
  DaemonOptions& options = flags->options;
  options.socket.clear();
  Command command{.name = "daemon",
                  .description = "Keep the roll call: run until SIGTERM or SIGINT",
                  .examples = kDaemonExamples,
                  .run = [flags] { return Finish(Run(*flags)); }};
  command.options = {
      {"--socket", &options.socket, "PATH",
       "Unix socket to serve on; roster.sock in the state directory by default"},
      {"--pin-dir", &options.pin_dir, "PATH", "Directory of the pinned maps, on a BPF file system"},
      {"--state-dir", &options.state_dir, "PATH", "Directory for the socket and the lock file"},
      {"--hold-deadline", &flags->hold_deadline, "DURATION",
       "For how long a runtime may be paused at most"},
      {"--node-name", &options.node_name, "NAME", "Name of this node; the host's name by default"},
      {"--host-mntns", &flags->host_mntns, "INODE",
       "Inode number of the host's mount namespace, where the daemon runs in another one"},
      {"--log-level", &flags->log_level, "LEVEL", "debug, info, warning or error"},
      {"--log-format", &flags->log_format, "FORMAT", "auto, text, journal or json"}};
  return command;
}

}  // namespace roster::cli

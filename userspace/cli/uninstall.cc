// roster uninstall: removes what Roster leaves on a host.
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>

#include <cerrno>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/output.h"
#include "cli/removal.h"
#include "daemon/living_daemon.h"
#include "kernel/errors.h"
#include "text/terminal.h"

namespace roster::cli {
namespace {

constexpr char kUninstallExamples[] = R"(  roster uninstall --dry-run
  systemctl disable --now roster && roster uninstall
  roster uninstall --force
)";

struct UninstallOptions {
  Paths paths;
  bool force = false;
  bool dry_run = false;
};

// SIGTERM, and SIGKILL where that does not help.
absl::Status StopDaemon(const LivingDaemon& daemon) {
  for (const int signal : {SIGTERM, SIGKILL}) {
    if (syscall(SYS_pidfd_send_signal, daemon.pidfd.get(), signal, nullptr, 0) != 0 &&
        errno != ESRCH) {
      return ErrnoStatus("stop daemon, pid", absl::StrCat(daemon.pid), errno);
    }
    pollfd ended = {.fd = daemon.pidfd.get(), .events = POLLIN, .revents = 0};
    if (poll(&ended, 1, 10'000) > 0) return absl::OkStatus();
  }
  return absl::DeadlineExceededError(
      absl::StrCat("stop daemon, pid ", daemon.pid, ": it does not end"));
}

absl::Status Uninstall(UninstallOptions options) {
  if (options.paths.socket.empty()) options.paths.socket = options.paths.state_dir + "/roster.sock";
  // Before the daemon is stopped for nothing.
  ROSTER_RETURN_IF_ERROR(PlanRemoval(options.paths).status());
  if (!options.dry_run) {
    ROSTER_ASSIGN_OR_RETURN(const LivingDaemon daemon,
                            FindLivingDaemon(options.paths.state_dir, options.paths.pin_dir));
    if (daemon.pid != 0 && !options.force) {
      return absl::FailedPreconditionError(
          absl::StrCat("uninstall: the daemon runs (pid ", daemon.pid,
                       "); stop it (systemctl disable --now roster), or use --force"));
    }
    if (daemon.pid != 0) {
      ROSTER_RETURN_IF_ERROR(StopDaemon(daemon));
      Print(absl::StrCat("stopped the daemon, pid ", daemon.pid, "\n"));
    }
  }
  ROSTER_ASSIGN_OR_RETURN(const RemovalPlan plan, PlanRemoval(options.paths));
  if (plan.files.empty() && plan.directories.empty()) {
    Print("nothing to remove\n");
    return absl::OkStatus();
  }
  if (options.dry_run) {
    for (const auto* paths : {&plan.files, &plan.directories}) {
      for (const std::string& path : *paths)
        Print(absl::StrCat("would remove ", EscapeForTerminal(path), "\n"));
    }
    return absl::OkStatus();
  }
  ROSTER_RETURN_IF_ERROR(Remove(plan));
  Print(absl::StrCat("removed ", plan.files.size(), " pins and files\n"));
  return absl::OkStatus();
}

}  // namespace

Command UninstallCommand() {
  const auto options = std::make_shared<UninstallOptions>();
  Command command{.name = "uninstall",
                  .description = "Remove pins, programs, socket and state from this host",
                  .examples = kUninstallExamples,
                  .run = [options] { return Finish(Uninstall(*options)); }};
  command.options = {{"--force", &options->force, "", "Stop a running daemon first"},
                     {"--dry-run", &options->dry_run, "", "Only say what would be removed"},
                     {"--socket", &options->paths.socket, "PATH",
                      "Unix socket of the daemon; roster.sock in the state directory by default"}};
  AddPinDirOption(&options->paths, &command);
  AddStateDirOption(&options->paths, &command);
  return command;
}

}  // namespace roster::cli

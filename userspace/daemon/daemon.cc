#include "daemon/daemon.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "daemon/collection_source.h"
#include "daemon/daemon_lock.h"
#include "daemon/daemon_tracker.h"
#include "daemon/grpc_server.h"
#include "daemon/notify.h"
#include "daemon/pin_facts.h"
#include "daemon/state_dir.h"
#include "kernel/errors.h"
#include "kernel/fd.h"
#include "log/log.h"
#include "roster/reader.h"

#ifndef ROSTER_VERSION
#define ROSTER_VERSION "unknown"
#endif

namespace roster {

const std::string_view kRosterVersion = ROSTER_VERSION;

namespace {

// For the keeper of a daemon that was killed a moment ago; it ends with its last hold's deadline.
constexpr absl::Duration kLockWait = absl::Seconds(2);

absl::StatusOr<Fd> BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // A client that hangs up must not end the daemon.
  signal(SIGPIPE, SIG_IGN);
  Fd fd(signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) return ErrnoStatus("make", "signalfd", errno);
  return fd;
}

absl::StatusOr<Fd> WatchdogTimer() {
  const absl::Duration interval = WatchdogInterval();
  if (interval == absl::InfiniteDuration()) return Fd();
  Fd fd(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  const itimerspec times = {.it_interval = absl::ToTimespec(interval),
                            .it_value = absl::ToTimespec(interval)};
  if (!fd.valid() || timerfd_settime(fd.get(), 0, &times, nullptr) != 0) {
    return ErrnoStatus("make", "watchdog timer", errno);
  }
  return fd;
}

std::string HostName() {
  char name[256] = {};
  return gethostname(name, sizeof(name) - 1) == 0 ? name : "";
}

// The lock is one per state directory; a daemon with another one may still write to the same pins.
absl::Status CheckNobodyWrites(const std::string& pin_dir) {
  const absl::StatusOr<Reader> reader = Reader::Open(pin_dir);
  if (!reader.ok() || !reader->IsDaemonAlive())
    return absl::OkStatus();  // the tracker judges bad pins
  return absl::AlreadyExistsError(absl::StrCat("pin directory ", pin_dir, ": another daemon (pid ",
                                               reader->Abi().daemon_pid, ") writes there"));
}

// What the event loop waits on for the process itself. systemd's watchdog is fed while this loop
// and the tracker's turn.
std::vector<LoopHandler> ProcessHandlers(const Fd& signals, const Fd& watchdog,
                                         DaemonTracker* tracker) {
  std::vector<LoopHandler> handlers;
  handlers.push_back({signals.get(), [&signals] {
                        signalfd_siginfo info = {};
                        if (read(signals.get(), &info, sizeof(info)) != sizeof(info)) return true;
                        LogInfo("stopping", {{"signal", info.ssi_signo}, {"sender", info.ssi_pid}});
                        return false;
                      }});
  if (watchdog.valid()) {
    handlers.push_back({watchdog.get(), [&watchdog, tracker] {
                          uint64_t expirations = 0;
                          (void)!read(watchdog.get(), &expirations, sizeof(expirations));
                          if (tracker->Turns()) {
                            NotifyWatchdog();
                          } else {
                            LogError("the tracker is stuck; the watchdog is not fed");
                          }
                          return true;
                        }});
  }
  return handlers;
}

}  // namespace

absl::Status CheckDaemonOptions(const DaemonOptions& options) {
  if (options.hold_deadline < absl::Milliseconds(1) || options.hold_deadline > absl::Seconds(10)) {
    return absl::InvalidArgumentError(absl::StrCat("--hold-deadline ",
                                                   absl::FormatDuration(options.hold_deadline),
                                                   ": must be between 1ms and 10s"));
  }
  for (const auto& [name, path] :
       {std::pair<const char*, const std::string&>{"--socket", options.socket},
        {"--pin-dir", options.pin_dir},
        {"--state-dir", options.state_dir}}) {
    if (path.empty() || path[0] != '/') {
      return absl::InvalidArgumentError(
          absl::StrCat(name, " \"", path, "\": must be an absolute path"));
    }
  }
  return absl::OkStatus();
}

absl::Status RunDaemon(const DaemonOptions& options) {
  ROSTER_RETURN_IF_ERROR(CheckDaemonOptions(options));
  SetLogging(options.log_level, options.log_format);
  ROSTER_RETURN_IF_ERROR(MakeStateDir(options.state_dir));
  // Before threads: it waits by a signal.
  ROSTER_ASSIGN_OR_RETURN(const Fd lock, AcquireDaemonLock(options.state_dir, kLockWait));
  ROSTER_ASSIGN_OR_RETURN(const Fd signals, BlockSignals());
  ROSTER_ASSIGN_OR_RETURN(const Fd watchdog, WatchdogTimer());

  ROSTER_RETURN_IF_ERROR(CheckNobodyWrites(options.pin_dir));
  // Before the containers are there: who calls meanwhile waits for the answer.
  ROSTER_ASSIGN_OR_RETURN(UnixListener listener, UnixListener::Listen(options.socket));

  const absl::Time began = absl::Now();
  const std::unique_ptr<DaemonTracker> tracker = MakeDaemonTracker(options);
  ROSTER_RETURN_IF_ERROR(tracker->Start());

  std::optional<PinFactsReader> facts;
  if (absl::StatusOr<PinFactsReader> opened = PinFactsReader::Open(options.pin_dir); opened.ok()) {
    facts = *std::move(opened);
  } else {
    LogWarning("containers are served without their state in the pins",
               {{"error", opened.status()}});
  }
  CollectionSource source(&tracker->collection(), std::move(facts));
  absl::StatusOr<std::unique_ptr<GrpcServer>> server =
      GrpcServer::Start(std::move(listener), &source,
                        {.version = std::string(kRosterVersion),
                         .node_name = options.node_name.empty() ? HostName() : options.node_name,
                         .problems = [&tracker] { return tracker->Problems(); }});
  if (!server.ok()) return server.status();

  LogInfo("serving", {{"version", kRosterVersion},
                      {"socket", options.socket},
                      {"pins", options.pin_dir},
                      {"containers", source.Count()},
                      {"start_ms", absl::ToInt64Milliseconds(absl::Now() - began)}});
  for (const std::string& problem : tracker->Problems())
    LogWarning("degraded", {{"problem", problem}});
  NotifyReady(absl::StrCat("Serving ", source.Count(), " containers"));

  absl::Status result = tracker->Run(ProcessHandlers(signals, watchdog, tracker.get()));
  NotifyStopping();
  server->reset();
  tracker->Stop();
  LogInfo("stopped", {{"result", result}});
  return result;
}

}  // namespace roster

#include "engines/service.h"

#include <signal.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "engines/wait.h"
#include "kernel/errors.h"
#include "kernel/fd.h"

namespace roster::testing {
namespace {

bool Accepts(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return false;
  std::memcpy(address.sun_path, path.data(), path.size());
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return ::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
}

std::string Tail(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  std::string all = text.str();
  return all.size() > 3000 ? all.substr(all.size() - 3000) : all;
}

bool Ended(int pidfd) {
  siginfo_t info{};
  // Also right for a process that is no child of ours: its pidfd is then all there is.
  return ::syscall(SYS_pidfd_send_signal, pidfd, 0, nullptr, 0) != 0 ||
         (::waitid(static_cast<idtype_t>(P_PIDFD), pidfd, &info, WEXITED | WNOHANG | WNOWAIT) ==
              0 &&
          info.si_pid != 0);
}

}  // namespace

absl::Status WaitForSocket(const std::string& path, int pidfd, absl::Time deadline) {
  if (path.size() >= sizeof(sockaddr_un{}.sun_path)) {
    return absl::InvalidArgumentError(
        absl::StrCat("socket path ", path, " is longer than 107 bytes"));
  }
  const std::string directory = std::filesystem::path(path).parent_path();
  Fd inotify(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  // IN_ATTRIB: daemons change the socket's mode after listen(), which tells of the moment that
  // bind() does not.
  if (::inotify_add_watch(inotify.get(), directory.c_str(), IN_CREATE | IN_MOVED_TO | IN_ATTRIB) <
      0) {
    return ErrnoStatus("inotify_add_watch", directory, errno);
  }
  Ticker between_bind_and_listen(absl::Milliseconds(20));
  bool ended = false;
  absl::Status waited = WaitUntil(
      "accept on " + path, {inotify.get(), pidfd, between_bind_and_listen.fd()}, deadline, [&] {
        char events[4096];
        while (::read(inotify.get(), events, sizeof(events)) > 0) {
        }
        between_bind_and_listen.Take();
        ended = pidfd >= 0 && Ended(pidfd);
        return ended || Accepts(path);
      });
  if (ended)
    return absl::UnavailableError(
        absl::StrCat("the process that should listen on ", path, " has ended"));
  return waited;
}

absl::Status StartService(const ServiceOptions& options) {
  if (Accepts(options.socket)) return absl::OkStatus();
  CommandOptions command;
  command.environment = options.environment;
  command.log_path = options.log_path;
  command.new_session = true;
  ROSTER_ASSIGN_OR_RETURN(Process process, Process::Spawn(options.arguments, command));
  std::ofstream(options.pid_path) << process.pid() << "\n";
  absl::Status ready = WaitForSocket(options.socket, process.pidfd(), In(absl::Seconds(40)));
  if (!ready.ok()) {
    return absl::Status(ready.code(), absl::StrCat(options.arguments[0], ": ", ready.message(),
                                                   "\n", Tail(options.log_path)));
  }
  process.Release();
  return absl::OkStatus();
}

absl::Status StopService(const ServiceOptions& options) {
  std::ifstream file(options.pid_path);
  pid_t pid = 0;
  if (!(file >> pid) || pid <= 0) return absl::OkStatus();
  Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  // The number may be another's by now: the environment tells.
  std::ifstream environment(absl::StrCat("/proc/", pid, "/environ"), std::ios::binary);
  std::stringstream text;
  text << environment.rdbuf();
  if (pidfd.valid() && !options.environment.empty() &&
      text.str().find(options.environment[0]) != std::string::npos) {
    ::syscall(SYS_pidfd_send_signal, pidfd.get(), SIGTERM, nullptr, 0);
    absl::Status ended =
        WaitAny("end of " + options.arguments[0], {pidfd.get()}, In(absl::Seconds(20))).status();
    if (!ended.ok()) {
      ::syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0);
      ended =
          WaitAny("end of " + options.arguments[0], {pidfd.get()}, In(absl::Seconds(20))).status();
    }
    if (!ended.ok()) return ended;
    ::waitpid(pid, nullptr, WNOHANG);  // ours where this program started it
  }
  std::error_code ignored;
  std::filesystem::remove(options.pid_path, ignored);
  return absl::OkStatus();
}

}  // namespace roster::testing

#include "engines/command.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engines/wait.h"
#include "kernel/errors.h"

namespace roster::testing {
namespace {

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> Environment(const std::vector<std::string>& extra) {
  std::vector<std::string> environment = extra;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    std::string text = *entry;
    std::string name = text.substr(0, text.find('=') + 1);
    bool replaced = false;
    for (const std::string& other : extra) replaced |= other.compare(0, name.size(), name) == 0;
    if (!replaced) environment.push_back(text);
  }
  return environment;
}

std::string ReadAll(int fd) {
  std::string text;
  char buffer[16384];
  off_t offset = 0;
  for (ssize_t got; (got = ::pread(fd, buffer, sizeof(buffer), offset)) > 0; offset += got) {
    text.append(buffer, got);
  }
  return text;
}

// The attributes of a child: default signals, none blocked, whatever this process has set.
class SpawnSettings {
 public:
  explicit SpawnSettings(bool new_session) {
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_init(&actions);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                              (new_session ? POSIX_SPAWN_SETSID : 0));
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }

  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
};

absl::StatusOr<std::pair<pid_t, Fd>> SpawnWith(const std::vector<std::string>& arguments,
                                               const CommandOptions& options, int out_fd,
                                               int err_fd) {
  SpawnSettings settings(options.new_session);
  if (options.stdin_fd >= 0) {
    posix_spawn_file_actions_adddup2(&settings.actions, options.stdin_fd, 0);
  } else {
    posix_spawn_file_actions_addopen(&settings.actions, 0, "/dev/null", O_RDONLY, 0);
  }
  for (auto [from, to] : {std::pair(out_fd, 1), std::pair(err_fd, 2)}) {
    if (from >= 0) {
      posix_spawn_file_actions_adddup2(&settings.actions, from, to);
    } else {
      const char* path = options.log_path.empty() ? "/dev/null" : options.log_path.c_str();
      posix_spawn_file_actions_addopen(&settings.actions, to, path, O_WRONLY | O_CREAT | O_APPEND,
                                       0600);
    }
  }
  if (!options.directory.empty()) {
    posix_spawn_file_actions_addchdir_np(&settings.actions, options.directory.c_str());
  }
  std::vector<std::string> environment = Environment(options.environment);
  pid_t pid = -1;
  int error = ::posix_spawnp(&pid, arguments[0].c_str(), &settings.actions, &settings.attributes,
                             Pointers(arguments).data(), Pointers(environment).data());
  if (error != 0) return ErrnoStatus("start", arguments[0], error);
  // The child is ours and not reaped, so its number cannot have been given to another.
  Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd.valid()) return ErrnoStatus("pidfd_open", arguments[0], errno);
  return std::pair(pid, std::move(pidfd));
}

}  // namespace

absl::StatusOr<Process> Process::Spawn(const std::vector<std::string>& arguments,
                                       const CommandOptions& options) {
  ROSTER_ASSIGN_OR_RETURN(auto spawned, SpawnWith(arguments, options, options.stdout_fd, -1));
  Process process;
  process.pid_ = spawned.first;
  process.pidfd_ = std::move(spawned.second);
  return process;
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), pidfd_(std::move(other.pidfd_)) {}

Process& Process::operator=(Process&& other) noexcept {
  if (this != &other) {
    Process old = std::move(*this);
    pid_ = std::exchange(other.pid_, -1);
    pidfd_ = std::move(other.pidfd_);
  }
  return *this;
}

Process::~Process() {
  if (!running()) return;
  Signal(SIGKILL).IgnoreError();
  // A stopped process dies of SIGKILL as well, so this wait ends.
  Wait(absl::InfiniteFuture()).IgnoreError();
}

absl::Status Process::Signal(int signal) const {
  if (!running()) return absl::FailedPreconditionError("signal to a process that has been reaped");
  if (::syscall(SYS_pidfd_send_signal, pidfd_.get(), signal, nullptr, 0) != 0) {
    return ErrnoStatus(absl::StrCat("send signal ", signal, " to"), std::to_string(pid_), errno);
  }
  return absl::OkStatus();
}

absl::StatusOr<int> Process::Wait(absl::Time deadline) {
  if (!running()) return absl::FailedPreconditionError("wait for a process that has been reaped");
  auto woken = WaitAny(absl::StrCat("end of process ", pid_), {pidfd_.get()}, deadline);
  if (!woken.ok()) return woken.status();
  int status = 0;
  if (::waitpid(pid_, &status, 0) != pid_)
    return ErrnoStatus("waitpid", std::to_string(pid_), errno);
  pidfd_.Reset();
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

pid_t Process::Release() {
  pidfd_.Reset();
  return std::exchange(pid_, -1);
}

absl::StatusOr<CommandResult> RunCommand(const std::vector<std::string>& arguments,
                                         const CommandOptions& options) {
  Fd out(::memfd_create("stdout", MFD_CLOEXEC));
  Fd err(::memfd_create("stderr", MFD_CLOEXEC));
  if (!out.valid() || !err.valid()) return ErrnoStatus("memfd_create for", arguments[0], errno);
  // The child's end must not share a file offset with a writer that outlives it; appending settles
  // that.
  ::fcntl(out.get(), F_SETFL, O_APPEND);
  ::fcntl(err.get(), F_SETFL, O_APPEND);
  ROSTER_ASSIGN_OR_RETURN(auto spawned, SpawnWith(arguments, options, out.get(), err.get()));
  auto [pid, pidfd] = std::move(spawned);
  absl::Status waited = WaitAny(absl::StrCat("end of ", absl::StrJoin(arguments, " ")),
                                {pidfd.get()}, In(options.timeout))
                            .status();
  if (!waited.ok()) ::kill(pid, SIGKILL);
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (!waited.ok()) {
    return absl::Status(waited.code(), absl::StrCat(waited.message(), ": ", ReadAll(err.get())));
  }
  CommandResult result;
  result.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  result.out = ReadAll(out.get());
  result.err = ReadAll(err.get());
  return result;
}

absl::StatusOr<std::string> RunForOutput(const std::vector<std::string>& arguments,
                                         const CommandOptions& options) {
  ROSTER_ASSIGN_OR_RETURN(CommandResult result, RunCommand(arguments, options));
  if (result.exit_code != 0) {
    return absl::InternalError(absl::StrCat(absl::StrJoin(arguments, " "), ": exit code ",
                                            result.exit_code, ": ", result.err, result.out));
  }
  if (!result.out.empty() && result.out.back() == '\n') result.out.pop_back();
  return std::move(result.out);
}

}  // namespace roster::testing

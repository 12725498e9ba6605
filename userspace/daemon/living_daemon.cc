#include "daemon/living_daemon.h"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "daemon/daemon_lock.h"
#include "kernel/errors.h"
#include "process/proc_task.h"
#include "roster/reader.h"

namespace roster {
namespace {

// No process: the lock is still held by the keeper of a daemon that was killed a moment ago.
absl::StatusOr<LivingDaemon> Open(int pid) {
  Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (pidfd.valid()) return LivingDaemon{pid, std::move(pidfd)};
  if (errno == ESRCH) return LivingDaemon{};
  return ErrnoStatus("open process", absl::StrCat(pid), errno);
}

bool HasOpen(int pid, const std::string& path) {
  struct stat wanted = {};
  if (lstat(path.c_str(), &wanted) != 0) return false;
  const std::string directory = absl::StrCat("/proc/", pid, "/fd");
  const std::unique_ptr<DIR, int (*)(DIR*)> fds(opendir(directory.c_str()), closedir);
  if (fds == nullptr) return false;
  while (const dirent* entry = readdir(fds.get())) {
    struct stat held = {};
    if (fstatat(dirfd(fds.get()), entry->d_name, &held, 0) == 0 && held.st_dev == wanted.st_dev &&
        held.st_ino == wanted.st_ino) {
      return true;
    }
  }
  return false;
}

// Who has the number now may have been started after the daemon, or be no daemon at all.
bool IsRosterSince(int pid, uint64_t boottime_ns) {
  const absl::StatusOr<ProcTask> task = ProcTask::Open(pid);
  if (!task.ok()) return false;
  const absl::StatusOr<std::string> exe = task->Exe();
  const absl::StatusOr<uint64_t> start = task->StartBootTimeNs();
  if (!exe.ok() || !start.ok()) return false;
  absl::string_view path = *exe;
  absl::ConsumeSuffix(&path, " (deleted)");  // upgraded meanwhile
  return path.substr(path.rfind('/') + 1) == "roster" && *start <= boottime_ns;
}

}  // namespace

absl::StatusOr<LivingDaemon> FindLivingDaemon(const std::string& state_dir,
                                              const std::string& pin_dir) {
  if (const int pid = DaemonLockHolder(state_dir); pid != 0) {
    const std::string lock = DaemonLockPath(state_dir);
    if (pid < 0) {
      return absl::FailedPreconditionError(
          absl::StrCat("lock file ", lock, ": is held, and does not say by whom"));
    }
    ROSTER_ASSIGN_OR_RETURN(LivingDaemon daemon, Open(pid));
    if (daemon.pid != 0 && !HasOpen(pid, lock)) {
      return absl::FailedPreconditionError(
          absl::StrCat("lock file ", lock, ": is held, but not by process ", pid,
                       ", which it names; end the daemon yourself"));
    }
    return daemon;
  }
  // One with another state directory writes to the same pins.
  const absl::StatusOr<Reader> reader = Reader::Open(pin_dir);
  if (!reader.ok() || !reader->IsDaemonAlive()) return LivingDaemon{};
  const roster_abi abi = reader->Abi();
  const int pid = static_cast<int>(abi.daemon_pid);
  ROSTER_ASSIGN_OR_RETURN(LivingDaemon daemon, Open(pid));
  if (daemon.pid != 0 && !IsRosterSince(pid, abi.daemon_start_ns)) {
    return absl::FailedPreconditionError(
        absl::StrCat("pin directory ", pin_dir, ": somebody writes there, but process ", pid,
                     ", which it names, is no roster daemon; end it yourself"));
  }
  return daemon;
}

}  // namespace roster

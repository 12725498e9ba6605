#include "daemon/daemon_lock.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "kernel/errors.h"

namespace roster {
namespace {

int ReadPid(int fd) {
  char text[32] = {};
  if (pread(fd, text, sizeof(text) - 1, 0) <= 0) return 0;
  return atoi(text);
}

// flock(2) that gives up after `wait`: a signal interrupts it. The timer repeats, for the first
// signal may come before flock has begun.
int LockWithin(int fd, absl::Duration wait) {
  struct sigaction interrupt = {};
  struct sigaction previous = {};
  interrupt.sa_handler = [](int) {};
  sigaction(SIGALRM, &interrupt, &previous);
  sigevent event = {};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = SIGALRM;
  event._sigev_un._tid = gettid();
  timer_t timer;
  if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) return -1;
  const absl::Cleanup restore = [&] {
    timer_delete(timer);
    sigaction(SIGALRM, &previous, nullptr);
  };
  const itimerspec times = {.it_interval = {.tv_sec = 0, .tv_nsec = 20'000'000},
                            .it_value = absl::ToTimespec(wait)};
  if (timer_settime(timer, 0, &times, nullptr) != 0) return -1;
  const int result = flock(fd, LOCK_EX);
  const int error = errno;
  const absl::Cleanup keep_errno = [error] { errno = error; };
  return result;
}

}  // namespace

std::string DaemonLockPath(const std::string& state_dir) { return state_dir + "/daemon.lock"; }

absl::StatusOr<Fd> AcquireDaemonLock(const std::string& state_dir, absl::Duration wait) {
  const std::string path = DaemonLockPath(state_dir);
  Fd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) return ErrnoStatus("open lock file", path, errno);
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return ErrnoStatus("lock", path, errno);
    if (wait <= absl::ZeroDuration() || LockWithin(fd.get(), wait) != 0) {
      const int holder = ReadPid(fd.get());
      return absl::AlreadyExistsError(
          absl::StrCat("lock file ", path, ": another daemon",
                       holder > 0 ? absl::StrCat(" (pid ", holder, ")") : "",
                       " runs with this state directory"));
    }
  }
  const std::string text = absl::StrCat(getpid(), "\n");
  if (ftruncate(fd.get(), 0) != 0 ||
      pwrite(fd.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    return ErrnoStatus("write lock file", path, errno);
  }
  return fd;
}

int DaemonLockHolder(const std::string& state_dir) {
  const Fd fd(open(DaemonLockPath(state_dir).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.valid()) return 0;
  if (flock(fd.get(), LOCK_SH | LOCK_NB) == 0) return 0;
  const int pid = ReadPid(fd.get());
  return pid > 0 ? pid : -1;
}

}  // namespace roster

// Helpers for tests with held executions: processes that exec a marked file and say when they got
// through.
#ifndef ROSTER_TESTS_UNIT_HOOK_HELD_EXEC_H_
#define ROSTER_TESTS_UNIT_HOOK_HELD_EXEC_H_

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "kernel/fd.h"

namespace roster {

class TempDir {
 public:
  TempDir() {
    char name[] = "/tmp/roster-hook-XXXXXX";
    path_ = mkdtemp(name);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// A new inode that does nothing and succeeds when it is run.
inline std::string MakeExecutable(const std::string& path) {
  std::filesystem::copy_file("/bin/true", path, std::filesystem::copy_options::overwrite_existing);
  return path;
}

inline void WriteFile(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
}

// True when `fd` becomes readable in time.
inline bool WaitReadable(int fd, absl::Duration timeout) {
  const absl::Time end = absl::Now() + timeout;
  while (true) {
    pollfd fds = {fd, POLLIN, 0};
    const auto left = absl::ToInt64Milliseconds(std::max(end - absl::Now(), absl::ZeroDuration()));
    const int ready = poll(&fds, 1, static_cast<int>(left));
    if (ready >= 0 || errno != EINTR) return ready > 0;
  }
}

// A child that execs a file at once, or when told to.
class HeldExec {
 public:
  explicit HeldExec(const std::string& path, bool wait_for_go = false) : start_(absl::Now()) {
    int status[2];
    int go[2];
    if (pipe2(status, O_CLOEXEC) != 0 || pipe2(go, O_CLOEXEC) != 0) abort();
    pid_ = fork();
    if (pid_ == 0) {
      char byte;
      close(go[1]);
      if (wait_for_go) (void)!read(go[0], &byte, 1);
      char* const argv[] = {const_cast<char*>(path.c_str()), nullptr};
      execv(path.c_str(), argv);
      const int error = errno;
      (void)!write(status[1], &error, sizeof(error));
      _exit(127);
    }
    close(status[1]);
    close(go[0]);
    status_.Reset(status[0]);
    go_.Reset(go[1]);
  }
  HeldExec(HeldExec&& other) noexcept = default;
  HeldExec& operator=(HeldExec&& other) noexcept = default;
  ~HeldExec() {
    if (!status_.valid() || reaped_) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

  void Go() {
    start_ = absl::Now();
    (void)!write(go_.get(), "g", 1);
  }
  pid_t pid() const { return pid_; }
  // Readable when the exec went through (end of file) or failed (its errno).
  int status_fd() const { return status_.get(); }
  bool Decided(absl::Duration timeout) const { return WaitReadable(status_.get(), timeout); }
  // Blocks until the exec went through, and returns 0, or failed, and returns its errno; reaps the
  // child.
  int Outcome() {
    int error = 0;
    const ssize_t n = read(status_.get(), &error, sizeof(error));
    took_ = absl::Now() - start_;
    waitpid(pid_, nullptr, 0);
    reaped_ = true;
    return n == 0 ? 0 : error;
  }
  // From the start until Outcome saw it; includes the fork.
  absl::Duration took() const { return took_; }

 private:
  pid_t pid_ = -1;
  bool reaped_ = false;
  absl::Time start_;
  absl::Duration took_;
  Fd status_;
  Fd go_;
};

// Runs `body` in a child process and expects no failure in it. For what changes the whole process.
inline void InChild(const std::function<void()>& body) {
  const pid_t pid = fork();
  ASSERT_GE(pid, 0);
  if (pid == 0) {
    body();
    fflush(nullptr);
    _exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "status " << status;
}

inline Fd PidfdOpen(pid_t pid) { return Fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))); }

inline size_t CountOpenFds() {
  const std::filesystem::directory_iterator fds("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(fds), end(fds)));
}

// The group's marks, as the kernel lists them: "fanotify ino:<hex> sdev:... mask:<hex> ...".
inline std::vector<std::string> MarkLines(int fanotify_fd) {
  std::ifstream file("/proc/self/fdinfo/" + std::to_string(fanotify_fd));
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("fanotify ino:", 0) == 0) lines.push_back(line);
  }
  return lines;
}

inline size_t CountMarksOf(int fanotify_fd, uint64_t ino) {
  std::ostringstream prefix;
  prefix << "fanotify ino:" << std::hex << ino << " ";
  size_t count = 0;
  for (const std::string& line : MarkLines(fanotify_fd)) count += line.rfind(prefix.str(), 0) == 0;
  return count;
}

}  // namespace roster

#endif  // ROSTER_TESTS_UNIT_HOOK_HELD_EXEC_H_

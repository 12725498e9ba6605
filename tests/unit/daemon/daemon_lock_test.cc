#include "daemon/daemon_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace roster {
namespace {

using ::testing::HasSubstr;

class DaemonLockTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char dir[] = "/tmp/roster-lock-XXXXXX";
    ASSERT_NE(mkdtemp(dir), nullptr);
    dir_ = dir;
  }
  void TearDown() override {
    unlink((dir_ + "/daemon.lock").c_str());
    rmdir(dir_.c_str());
  }
  // A process that holds the lock until a byte, or the end, comes through the pipe.
  pid_t Hold(int* release) {
    int ready[2];
    int go[2];
    EXPECT_EQ(pipe(ready), 0);
    EXPECT_EQ(pipe(go), 0);
    const pid_t child = fork();
    if (child == 0) {
      close(go[1]);
      auto lock = AcquireDaemonLock(dir_, absl::ZeroDuration());
      char byte = lock.ok() ? 'y' : 'n';
      [[maybe_unused]] ssize_t n = write(ready[1], &byte, 1);
      n = read(go[0], &byte, 1);
      _exit(0);
    }
    char byte = 0;
    EXPECT_EQ(read(ready[0], &byte, 1), 1);
    EXPECT_EQ(byte, 'y');
    close(ready[0]);
    close(ready[1]);
    close(go[0]);
    *release = go[1];
    return child;
  }
  std::string dir_;
};

TEST_F(DaemonLockTest, SecondDaemonIsRefusedAfterTheWaitAndTheFirstIsNamed) {
  int release;
  const pid_t holder = Hold(&release);
  EXPECT_EQ(DaemonLockHolder(dir_), holder);
  const absl::Time began = absl::Now();
  auto lock = AcquireDaemonLock(dir_, absl::Milliseconds(200));
  const absl::Duration waited = absl::Now() - began;
  EXPECT_EQ(lock.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(lock.status().message()), HasSubstr(absl::StrCat("pid ", holder)));
  EXPECT_GE(waited, absl::Milliseconds(190));
  EXPECT_LT(waited, absl::Seconds(3));
  close(release);
  waitpid(holder, nullptr, 0);
  EXPECT_EQ(DaemonLockHolder(dir_), 0);
}

TEST_F(DaemonLockTest, LockOfADaemonThatEndsMeanwhileIsTaken) {
  int release;
  const pid_t holder = Hold(&release);
  const pid_t killer = fork();
  if (killer == 0) {
    usleep(100'000);  // so that the lock is being waited for
    kill(holder, SIGKILL);
    _exit(0);
  }
  auto lock = AcquireDaemonLock(dir_, absl::Seconds(20));
  EXPECT_TRUE(lock.ok()) << lock.status();
  close(release);
  waitpid(killer, nullptr, 0);
  waitpid(holder, nullptr, 0);
}

TEST_F(DaemonLockTest, ZeroWaitDoesNotWait) {
  int release;
  const pid_t holder = Hold(&release);
  EXPECT_EQ(AcquireDaemonLock(dir_, absl::ZeroDuration()).status().code(),
            absl::StatusCode::kAlreadyExists);
  close(release);
  waitpid(holder, nullptr, 0);
}

TEST_F(DaemonLockTest, MissingDirectoryIsNamed) {
  auto lock = AcquireDaemonLock("/nonexistent/state", absl::ZeroDuration());
  EXPECT_THAT(std::string(lock.status().message()), HasSubstr("/nonexistent/state/daemon.lock"));
  EXPECT_EQ(DaemonLockHolder("/nonexistent/state"), 0);
}

}  // namespace
}  // namespace roster

#include "daemon/unix_listener.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <vector>

#include "daemon/state_dir.h"

namespace roster {
namespace {

using ::testing::HasSubstr;

class UnixListenerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char dir[] = "/tmp/roster-listen-XXXXXX";
    ASSERT_NE(mkdtemp(dir), nullptr);
    dir_ = dir;
    path_ = dir_ + "/s";
  }
  void TearDown() override {
    unlink(path_.c_str());
    rmdir(path_.c_str());
    rmdir(dir_.c_str());
  }
  static Fd ConnectTo(const std::string& path) {
    Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    memcpy(address.sun_path, path.data(), path.size());
    if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) fd.Reset();
    return fd;
  }
  std::string dir_;
  std::string path_;
};

TEST_F(UnixListenerTest, SocketOfADeadDaemonIsReplaced) {
  const pid_t child = fork();
  if (child == 0) {
    auto listener = UnixListener::Listen(path_);
    _exit(listener.ok() ? 0 : 1);  // without removing the path
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_EQ(status, 0);
  struct stat file;
  ASSERT_EQ(stat(path_.c_str(), &file), 0);
  auto listener = UnixListener::Listen(path_);
  ASSERT_TRUE(listener.ok()) << listener.status();
  EXPECT_TRUE(ConnectTo(path_).valid());
}

TEST_F(UnixListenerTest, LivingListenerIsNotReplacedAndIsNamed) {
  auto first = UnixListener::Listen(path_);
  ASSERT_TRUE(first.ok());
  auto second = UnixListener::Listen(path_);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(std::to_string(getpid())));
  EXPECT_TRUE(ConnectTo(path_).valid());
}

TEST_F(UnixListenerTest, OrdinaryFileOrDirectoryInThePlaceIsLeftAlone) {
  std::ofstream(path_) << "precious";
  auto listener = UnixListener::Listen(path_);
  EXPECT_EQ(listener.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(listener.status().message()), HasSubstr(path_));
  std::string text;
  std::ifstream(path_) >> text;
  EXPECT_EQ(text, "precious");
  unlink(path_.c_str());
  mkdir(path_.c_str(), 0700);
  EXPECT_EQ(UnixListener::Listen(path_).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(UnixListenerTest, PathThatNoSocketCanHaveIsRefused) {
  EXPECT_EQ(UnixListener::Listen("/tmp/" + std::string(200, 'x')).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(UnixListener::Listen("").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(UnixListener::Listen("/nonexistent/s").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(UnixListenerTest, ClosingLeavesTheSocketOfASuccessor) {
  auto first = UnixListener::Listen(path_);
  ASSERT_TRUE(first.ok());
  unlink(path_.c_str());
  auto second = UnixListener::Listen(path_);
  ASSERT_TRUE(second.ok()) << second.status();
  first = absl::CancelledError("gone");
  EXPECT_EQ(access(path_.c_str(), F_OK), 0);
}

TEST_F(UnixListenerTest, WithoutDescriptorsTheClientIsHungUpOnAndTheSocketIsQuietAgain) {
  auto listener = UnixListener::Listen(path_);
  ASSERT_TRUE(listener.ok());
  const Fd client = ConnectTo(path_);
  ASSERT_TRUE(client.valid());
  rlimit before;
  getrlimit(RLIMIT_NOFILE, &before);
  std::vector<Fd> all;
  rlimit few = before;
  few.rlim_cur = 64;
  setrlimit(RLIMIT_NOFILE, &few);
  for (;;) {
    Fd fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!fd.valid()) break;
    all.push_back(std::move(fd));
  }
  EXPECT_EQ(listener->Accept().status().code(), absl::StatusCode::kResourceExhausted);
  pollfd waits = {.fd = listener->fd(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(poll(&waits, 1, 0), 0);
  char byte;
  EXPECT_EQ(read(client.get(), &byte, 1), 0);
  all.clear();
  setrlimit(RLIMIT_NOFILE, &before);
  const Fd next = ConnectTo(path_);
  EXPECT_TRUE(listener->Accept().ok());
}

TEST_F(UnixListenerTest, OtherUsersAreRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to become another user";
  auto listener = UnixListener::Listen(path_);
  ASSERT_TRUE(listener.ok());
  chmod(path_.c_str(), 0666);  // as if an operator had opened it
  chmod(dir_.c_str(), 0755);
  int go[2];
  ASSERT_EQ(pipe(go), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(go[1]);
    if (setuid(65534) != 0) _exit(2);
    const Fd fd = ConnectTo(path_);
    char byte;
    [[maybe_unused]] const ssize_t n = read(go[0], &byte, 1);
    _exit(fd.valid() ? 0 : 1);
  }
  close(go[0]);
  pollfd waits = {.fd = listener->fd(), .events = POLLIN, .revents = 0};
  ASSERT_EQ(poll(&waits, 1, 30'000), 1);
  const absl::Status refused = listener->Accept().status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("65534"));
  close(go[1]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST(StateDir, IsMadePrivateAndAForeignOneIsRefused) {
  char dir[] = "/tmp/roster-state-XXXXXX";
  ASSERT_NE(mkdtemp(dir), nullptr);
  const std::string path = std::string(dir) + "/state";
  ASSERT_TRUE(MakeStateDir(path).ok());
  struct stat status;
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  EXPECT_TRUE(MakeStateDir(path).ok());
  chmod(path.c_str(), 0777);
  EXPECT_EQ(MakeStateDir(path).code(), absl::StatusCode::kFailedPrecondition);
  rmdir(path.c_str());
  ASSERT_EQ(symlink("/tmp", path.c_str()), 0);
  EXPECT_EQ(MakeStateDir(path).code(), absl::StatusCode::kFailedPrecondition);
  unlink(path.c_str());
  EXPECT_EQ(MakeStateDir("/nonexistent/a/b").code(), absl::StatusCode::kNotFound);
  rmdir(dir);
}

}  // namespace
}  // namespace roster

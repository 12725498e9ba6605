#include "daemon/notify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "kernel/fd.h"

namespace roster {
namespace {

// A socket as systemd has one, and the environment that it gives to its services.
class NotifyTest : public ::testing::Test {
 protected:
  void TearDown() override {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) unsetenv(name);
  }
  // '@' stands for the NUL that an abstract name begins with.
  void Listen(const std::string& path) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    ASSERT_LT(path.size(), sizeof(address.sun_path));
    memcpy(address.sun_path, path.data(), path.size());
    if (path[0] == '@') address.sun_path[0] = '\0';
    systemd_.Reset(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    ASSERT_EQ(bind(systemd_.get(), reinterpret_cast<const sockaddr*>(&address),
                   static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size())),
              0);
    setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }
  std::string Heard() {
    char text[256];
    const ssize_t length = recv(systemd_.get(), text, sizeof(text), 0);
    return length < 0 ? "" : std::string(text, static_cast<size_t>(length));
  }
  Fd systemd_;
};

TEST_F(NotifyTest, EachMessageIsADatagramToASocketFile) {
  const std::string path = absl::StrCat("/tmp/roster-notify-", getpid());
  Listen(path);
  NotifyReady("Serving 3 containers");
  EXPECT_EQ(Heard(), "READY=1\nSTATUS=Serving 3 containers");
  NotifyWatchdog();
  NotifyStopping();
  EXPECT_EQ(Heard(), "WATCHDOG=1");
  EXPECT_EQ(Heard(), "STOPPING=1");
  unlink(path.c_str());
}

TEST_F(NotifyTest, AnAbstractSocketIsReached) {
  Listen(absl::StrCat("@roster-notify-", getpid()));
  NotifyStopping();
  EXPECT_EQ(Heard(), "STOPPING=1");
}

TEST_F(NotifyTest, WithoutASocketOrWithOneThatCannotBeNothingHappens) {
  NotifyStopping();
  for (const std::string& path :
       {std::string(), std::string("/nobody/listens"), "/" + std::string(200, 'x')}) {
    setenv("NOTIFY_SOCKET", path.c_str(), 1);
    NotifyStopping();
  }
}

TEST_F(NotifyTest, TheWatchdogIsLookedAtFourTimesInItsTimeAndOnlyByWhomItIsFor) {
  EXPECT_EQ(WatchdogInterval(), absl::InfiniteDuration());
  setenv("WATCHDOG_USEC", "20000000", 1);
  EXPECT_EQ(WatchdogInterval(), absl::Seconds(5));
  setenv("WATCHDOG_PID", absl::StrCat(getpid()).c_str(), 1);
  EXPECT_EQ(WatchdogInterval(), absl::Seconds(5));
  setenv("WATCHDOG_PID", absl::StrCat(getppid()).c_str(), 1);
  EXPECT_EQ(WatchdogInterval(), absl::InfiniteDuration());
  unsetenv("WATCHDOG_PID");
  for (const char* wrong : {"", "0", "-1", "soon"}) {
    setenv("WATCHDOG_USEC", wrong, 1);
    EXPECT_EQ(WatchdogInterval(), absl::InfiniteDuration()) << wrong;
  }
}

}  // namespace
}  // namespace roster

#include "daemon/notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "absl/strings/numbers.h"
#include "kernel/fd.h"

namespace roster {
namespace {

// sd_notify(3): one datagram to the socket that NOTIFY_SOCKET names. Nobody depends on its
// arrival, and systemd itself says what it missed.
void Notify(const std::string& message) {
  const char* path = getenv("NOTIFY_SOCKET");
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const size_t length = path == nullptr ? 0 : strlen(path);
  if (length == 0 || length >= sizeof(address.sun_path)) return;
  memcpy(address.sun_path, path, length);
  if (path[0] == '@') address.sun_path[0] = '\0';  // an abstract name
  const Fd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return;
  (void)sendto(fd.get(), message.data(), message.size(), MSG_NOSIGNAL,
               reinterpret_cast<const sockaddr*>(&address),
               static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length));
}

}  // namespace

void NotifyReady(std::string_view status) { Notify("READY=1\nSTATUS=" + std::string(status)); }
void NotifyStopping() { Notify("STOPPING=1"); }
void NotifyWatchdog() { Notify("WATCHDOG=1"); }

absl::Duration WatchdogInterval() {
  const char* allowed = getenv("WATCHDOG_USEC");
  const char* whose = getenv("WATCHDOG_PID");  // a forked child inherits the variables
  int64_t microseconds = 0;
  int64_t pid = 0;
  if (allowed == nullptr || !absl::SimpleAtoi(allowed, &microseconds) || microseconds <= 0 ||
      (whose != nullptr && (!absl::SimpleAtoi(whose, &pid) || pid != getpid()))) {
    return absl::InfiniteDuration();
  }
  return absl::Microseconds(microseconds) / 4;
}

}  // namespace roster

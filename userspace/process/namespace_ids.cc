#include "process/namespace_ids.h"

#include <linux/ioctl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <thread>

#include "kernel/fd.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

namespace roster {
namespace {

// From linux/nsfs.h of 6.11 and 6.18; Debian 12's header is older.
constexpr unsigned long kGetMntnsId = _IOR(0xb7, 5, uint64_t);
constexpr unsigned long kGetId = _IOR(0xb7, 13, uint64_t);

}  // namespace

uint64_t MntnsId(int mntns_fd) {
  uint64_t id = 0;
  if (ioctl(mntns_fd, kGetMntnsId, &id) == 0) return id;
  if (ioctl(mntns_fd, kGetId, &id) == 0) return id;
  return 0;
}

uint64_t OwnNetnsCookie() {
  const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return 0;
  uint64_t cookie = 0;
  socklen_t size = sizeof(cookie);
  if (getsockopt(socket.get(), SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) != 0) return 0;
  return cookie;
}

uint64_t NetnsCookie(int netns_fd) {
  uint64_t cookie = 0;
  // The namespace is a thread's, so a thread of its own keeps the caller's untouched; it is joined
  // at once.
  std::thread visitor([netns_fd, &cookie] {
    if (setns(netns_fd, CLONE_NEWNET) == 0) cookie = OwnNetnsCookie();
  });
  visitor.join();
  return cookie;
}

}  // namespace roster

// UnixListener is a listening unix socket that only the daemon's own user and root may use.
#ifndef ROSTER_USERSPACE_DAEMON_UNIX_LISTENER_H_
#define ROSTER_USERSPACE_DAEMON_UNIX_LISTENER_H_

#include <sys/types.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kernel/fd.h"

namespace roster {

// Not thread-safe.
class UnixListener {
 public:
  // Binds `path` with mode 0600 whatever the umask, from its first moment on, and listens. A socket
  // that nobody listens on any more is replaced. ALREADY_EXISTS where somebody does, naming the
  // process; INVALID_ARGUMENT for a path longer than the kernel's 107 bytes; FAILED_PRECONDITION
  // where `path` is something else than a socket.
  static absl::StatusOr<UnixListener> Listen(std::string path);

  UnixListener(UnixListener&& other) noexcept = default;
  UnixListener& operator=(UnixListener&& other) = delete;
  // Removes the path, unless it is another's by now.
  ~UnixListener();

  int fd() const { return fd_.get(); }
  const std::string& path() const { return path_; }

  // The next connection, non-blocking. PERMISSION_DENIED where the peer is another user (it is hung
  // up on), RESOURCE_EXHAUSTED where there is no file descriptor left (likewise: a spare one is
  // used to do so, so that the listening socket does not stay readable for ever), UNAVAILABLE where
  // nobody waits.
  absl::StatusOr<Fd> Accept();

 private:
  UnixListener() = default;
  absl::Status Bind();

  std::string path_;
  Fd fd_;
  Fd spare_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_DAEMON_UNIX_LISTENER_H_

#include "daemon/unix_listener.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "kernel/errors.h"

namespace roster {
namespace {

Fd OpenSpare() { return Fd(open("/dev/null", O_RDONLY | O_CLOEXEC)); }

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, path.data(), path.size());
  return address;
}

// OK where nobody listens on the socket at `path`.
absl::Status CheckStale(const std::string& path) {
  struct stat status;
  if (lstat(path.c_str(), &status) != 0) return ErrnoStatus("inspect socket", path, errno);
  if (!S_ISSOCK(status.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "socket ", path, ": exists and is no socket; remove it, or choose another --socket"));
  }
  const Fd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe.valid()) return ErrnoStatus("make socket for", path, errno);
  const sockaddr_un address = AddressOf(path);
  const bool answered =
      connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  const int error = answered ? 0 : errno;
  if (error == ECONNREFUSED || error == ENOENT) return absl::OkStatus();
  if (!answered && error != EAGAIN) return ErrnoStatus("try socket", path, error);
  ucred peer = {};
  socklen_t length = sizeof(peer);
  std::string who;
  if (getsockopt(probe.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.pid != 0) {
    who = absl::StrCat(" (pid ", peer.pid, ")");
  }
  return absl::AlreadyExistsError(
      absl::StrCat("socket ", path, ": another daemon", who, " serves there"));
}

}  // namespace

absl::StatusOr<UnixListener> UnixListener::Listen(std::string path) {
  if (path.empty()) return absl::InvalidArgumentError("socket: the path is empty");
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return absl::InvalidArgumentError(absl::StrCat("socket ", path, ": the path has ", path.size(),
                                                   " bytes, a socket's may have ",
                                                   sizeof(sockaddr_un::sun_path) - 1));
  }
  UnixListener listener;
  listener.path_ = std::move(path);
  listener.spare_ = OpenSpare();
  ROSTER_RETURN_IF_ERROR(listener.Bind());
  if (listen(listener.fd_.get(), 128) != 0)
    return ErrnoStatus("listen on socket", listener.path_, errno);
  return listener;
}

absl::Status UnixListener::Bind() {
  fd_.Reset(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd_.valid()) return ErrnoStatus("make socket", path_, errno);
  // bind(2) gives the file the mode of the socket's inode, less the umask: so it is never wider
  // than this.
  if (fchmod(fd_.get(), 0600) != 0) return ErrnoStatus("set mode of socket", path_, errno);
  const sockaddr_un address = AddressOf(path_);
  for (int attempt = 0;; ++attempt) {
    if (bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) break;
    if (errno != EADDRINUSE || attempt > 0) return ErrnoStatus("bind socket", path_, errno);
    ROSTER_RETURN_IF_ERROR(CheckStale(path_));
    if (unlink(path_.c_str()) != 0 && errno != ENOENT)
      return ErrnoStatus("remove stale socket", path_, errno);
  }
  // A umask such as 0777 may have left less than its own user needs.
  if (chmod(path_.c_str(), 0600) != 0) return ErrnoStatus("set mode of socket", path_, errno);
  struct stat status;
  if (lstat(path_.c_str(), &status) != 0) return ErrnoStatus("inspect socket", path_, errno);
  device_ = status.st_dev;
  inode_ = status.st_ino;
  return absl::OkStatus();
}

UnixListener::~UnixListener() {
  struct stat status;
  if (inode_ != 0 && fd_.valid() && lstat(path_.c_str(), &status) == 0 &&
      status.st_dev == device_ && status.st_ino == inode_) {
    unlink(path_.c_str());
  }
}

absl::StatusOr<Fd> UnixListener::Accept() {
  Fd connection(accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!connection.valid()) {
    const int error = errno;
    if (error == EAGAIN || error == ECONNABORTED || error == EINTR) {
      return absl::UnavailableError(absl::StrCat("accept on socket ", path_, ": nobody waits"));
    }
    if (error == EMFILE || error == ENFILE) {
      spare_.Reset();
      Fd(accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC)).Reset();
      spare_ = OpenSpare();
    }
    return ErrnoStatus("accept on socket", path_, error);
  }
  ucred peer = {};
  socklen_t length = sizeof(peer);
  if (getsockopt(connection.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) {
    return ErrnoStatus("read peer of socket", path_, errno);
  }
  if (peer.uid != 0 && peer.uid != geteuid()) {
    return absl::PermissionDeniedError(
        absl::StrCat("socket ", path_, ": refused user ", peer.uid, " (pid ", peer.pid, ")"));
  }
  return connection;
}

}  // namespace roster

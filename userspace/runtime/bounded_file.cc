#include "runtime/bounded_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "kernel/errors.h"
#include "text/string_view.h"

namespace roster {
namespace {

const char* KindOf(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISLNK(mode)) return "a symbolic link";
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISCHR(mode) || S_ISBLK(mode)) return "a device";
  return "no regular file";
}

absl::Status Refused(std::string_view object, const char* kind) {
  return absl::FailedPreconditionError(
      absl::StrCat("open ", ToAbsl(object), ": it is ", kind, ", not a regular file"));
}

std::string Size(size_t bytes) {
  constexpr size_t kMiB = 1 << 20;
  if (bytes >= kMiB) return absl::StrCat((bytes + kMiB - 1) / kMiB, " MiB");
  return absl::StrCat(bytes, " bytes");
}

absl::Status TooLarge(std::string_view object, size_t size, size_t limit) {
  return absl::OutOfRangeError(absl::StrCat("read ", ToAbsl(object), ": ", Size(size),
                                            " is over the limit of ", Size(limit)));
}

}  // namespace

absl::StatusOr<std::string> ReadBoundedFd(int fd, std::string_view object, const FileRules& rules) {
  struct stat info;
  if (fstat(fd, &info) != 0) return ErrnoStatus("stat", object, errno);
  if (!S_ISREG(info.st_mode)) return Refused(object, KindOf(info.st_mode));
  if (rules.root_owned && (info.st_uid != 0 || (info.st_mode & (S_IWGRP | S_IWOTH)) != 0)) {
    return absl::PermissionDeniedError(
        absl::StrCat("read ", ToAbsl(object), ": not root's alone (owner ", info.st_uid, ")"));
  }
  if (static_cast<size_t>(info.st_size) > rules.max_bytes) {
    return TooLarge(object, static_cast<size_t>(info.st_size), rules.max_bytes);
  }
  // The file may grow while it is read, so its size is a hint and the limit is checked again.
  std::string text(static_cast<size_t>(info.st_size) + 1, '\0');
  size_t used = 0;
  while (true) {
    const ssize_t got = pread(fd, text.data() + used, text.size() - used, static_cast<off_t>(used));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus("read", object, errno);
    if (got == 0) break;
    used += static_cast<size_t>(got);
    if (used > rules.max_bytes) return TooLarge(object, used, rules.max_bytes);
    if (used == text.size()) text.resize(std::min(used * 2, rules.max_bytes + 1));
  }
  text.resize(used);
  return text;
}

absl::StatusOr<std::string> ReadBoundedFile(int dir, const char* name, std::string_view object,
                                            const FileRules& rules) {
  const Fd fd(openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd.valid()) {
    if (errno == ELOOP) return Refused(object, "a symbolic link");
    if (errno == ENXIO) return Refused(object, "a socket");
    return ErrnoStatus("open", object, errno);
  }
  return ReadBoundedFd(fd.get(), object, rules);
}

}  // namespace roster

#include "daemon/state_dir.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "kernel/errors.h"

namespace roster {

absl::Status MakeStateDir(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return ErrnoStatus("make state directory", path, errno);
  }
  struct stat status;
  if (lstat(path.c_str(), &status) != 0) return ErrnoStatus("inspect state directory", path, errno);
  if (!S_ISDIR(status.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat("state directory ", path, ": is not a directory"));
  }
  if (status.st_uid != geteuid() && status.st_uid != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("state directory ", path, ": belongs to user ", status.st_uid));
  }
  if ((status.st_mode & 0022) != 0) {
    return absl::FailedPreconditionError(
        absl::StrFormat("state directory %s: mode %04o lets other users write there", path,
                        status.st_mode & 07777));
  }
  return absl::OkStatus();
}

}  // namespace roster

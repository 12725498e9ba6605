// FanotifyGroup owns a fanotify group for permission events.
#ifndef ROSTER_USERSPACE_HOOK_FANOTIFY_GROUP_H_
#define ROSTER_USERSPACE_HOOK_FANOTIFY_GROUP_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hook/file_id.h"
#include "kernel/fd.h"

namespace roster {

// Closing the group removes its marks and allows whatever it holds. Thread-safe: every method is
// one system call on the group.
class FanotifyGroup {
 public:
  // FAN_CLASS_CONTENT with thread ids, unlimited queue and marks, close-on-exec, non-blocking;
  // event fds are read-only and close-on-exec. Errors: PERMISSION_DENIED without CAP_SYS_ADMIN,
  // UNIMPLEMENTED when the kernel was built without CONFIG_FANOTIFY_ACCESS_PERMISSIONS,
  // RESOURCE_EXHAUSTED when fs.fanotify.max_user_groups is reached; each says what to do.
  static absl::StatusOr<FanotifyGroup> Create();

  int fd() const { return fd_.get(); }

  // Holds every execution of the regular file at `path` (symlinks followed). Adding a mark twice is
  // harmless. NOT_FOUND when there is no such file, FAILED_PRECONDITION when it is not a regular
  // file.
  absl::StatusOr<FileId> MarkExecutable(const std::string& path);
  // The same for a file that is open (not O_PATH); `name` is for error messages.
  absl::Status MarkExecutable(int fd, std::string_view name);

  // Holds every read of a file directly in the open directory `dirfd` but those of the one called
  // `exempt`, if there is one, until that is written to. A symbolic link of that name is not
  // followed, so exempts nothing. `name` is for error messages.
  absl::Status AddDirectoryAccess(int dirfd, const char* exempt, std::string_view name);
  // Takes both back. OK when the mark is gone already (the directory was deleted); an exempt file
  // that was replaced meanwhile took its exemption along.
  absl::Status RemoveDirectoryAccess(int dirfd, const char* exempt, std::string_view name);

 private:
  explicit FanotifyGroup(Fd fd) : fd_(std::move(fd)) {}
  absl::Status Mark(unsigned flags, uint64_t mask, int dirfd, const char* path,
                    std::string_view name);

  Fd fd_;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_HOOK_FANOTIFY_GROUP_H_

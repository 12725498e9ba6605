// Reading a whole regular file that somebody else wrote, with a bound.
#ifndef ROSTER_USERSPACE_RUNTIME_BOUNDED_FILE_H_
#define ROSTER_USERSPACE_RUNTIME_BOUNDED_FILE_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "kernel/fd.h"

namespace roster {

struct FileRules {
  size_t max_bytes = 0;
  bool root_owned =
      false;  // owner uid 0 and not writable by group or others, else PERMISSION_DENIED
};

// Opens `name` below `dir` (AT_FDCWD too) with O_NOFOLLOW and O_NONBLOCK, so neither a symbolic
// link in the last place is followed nor a FIFO waited for. Anything but a regular file is
// FAILED_PRECONDITION; over the bound OUT_OF_RANGE; `object` names the file in messages.
absl::StatusOr<std::string> ReadBoundedFile(int dir, const char* name, std::string_view object,
                                            const FileRules& rules);

// The same for a descriptor that is open already; reads from offset 0 and leaves the file position
// alone.
absl::StatusOr<std::string> ReadBoundedFd(int fd, std::string_view object, const FileRules& rules);

}  // namespace roster

#endif  // ROSTER_USERSPACE_RUNTIME_BOUNDED_FILE_H_

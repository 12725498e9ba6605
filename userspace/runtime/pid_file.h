// The pid file that a runtime writes between create and start.
#ifndef ROSTER_USERSPACE_RUNTIME_PID_FILE_H_
#define ROSTER_USERSPACE_RUNTIME_PID_FILE_H_

#include <sys/types.h>

#include <string_view>

#include "absl/status/statusor.h"

namespace roster {

inline constexpr size_t kMaxPidFileBytes = 32;

// Digits, with white space before and after; 1 to 4194304 (PID_MAX_LIMIT). Otherwise
// INVALID_ARGUMENT, which quotes the text.
absl::StatusOr<pid_t> ParsePid(std::string_view text);

// Reads a pid file through `fd` (a fanotify event's own descriptor: by path the reader would block
// on itself) without moving its position. FAILED_PRECONDITION when it is no regular file,
// OUT_OF_RANGE over kMaxPidFileBytes, UNAVAILABLE when it is still empty.
absl::StatusOr<pid_t> ReadPidFileFd(int fd);

}  // namespace roster

#endif  // ROSTER_USERSPACE_RUNTIME_PID_FILE_H_

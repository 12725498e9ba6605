// MakeStateDir makes the directory where the daemon keeps its socket and lock file.
#ifndef ROSTER_USERSPACE_DAEMON_STATE_DIR_H_
#define ROSTER_USERSPACE_DAEMON_STATE_DIR_H_

#include <string>

#include "absl/status/status.h"

namespace roster {

// Makes `path` with mode 0700 where it is missing; its parent must exist. FAILED_PRECONDITION where
// it is not a directory, or another user owns it or may write to it: who can replace files there
// could pose as the daemon.
absl::Status MakeStateDir(const std::string& path);

// Every regular file that the daemon makes in its state directory; `roster uninstall` removes these
// and no other.
inline constexpr const char* kStateFiles[] = {"daemon.lock", "runtime-roots", "runtime-roots.new"};

}  // namespace roster

#endif  // ROSTER_USERSPACE_DAEMON_STATE_DIR_H_

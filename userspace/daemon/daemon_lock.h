// AcquireDaemonLock sees to it that there is one daemon for each state directory.
#ifndef ROSTER_USERSPACE_DAEMON_DAEMON_LOCK_H_
#define ROSTER_USERSPACE_DAEMON_DAEMON_LOCK_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "kernel/fd.h"

namespace roster {

// STATE_DIR/daemon.lock.
std::string DaemonLockPath(const std::string& state_dir);

// Locks that file (flock(2)) and writes the caller's pid into it; held until the
// descriptor, and every copy of it in a forked process, is closed. ALREADY_EXISTS, naming the
// holder, where it is still held after `wait`: a daemon that was just killed leaves its keeper
// process, which shares its descriptors, for a moment. Uses SIGALRM for the wait: call before
// threads are started.
absl::StatusOr<Fd> AcquireDaemonLock(const std::string& state_dir, absl::Duration wait);

// The pid in the lock file where somebody holds the lock, -1 where it has none, else 0. Anybody
// may have written it who may write there.
int DaemonLockHolder(const std::string& state_dir);

}  // namespace roster

#endif  // ROSTER_USERSPACE_DAEMON_DAEMON_LOCK_H_

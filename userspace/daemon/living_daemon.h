// FindLivingDaemon finds the process that may be stopped as the daemon.
#ifndef ROSTER_USERSPACE_DAEMON_LIVING_DAEMON_H_
#define ROSTER_USERSPACE_DAEMON_LIVING_DAEMON_H_

#include <string>

#include "absl/status/statusor.h"
#include "kernel/fd.h"

namespace roster {

struct LivingDaemon {
  int pid = 0;  // 0: none lives
  Fd pidfd;     // of that process, whatever becomes of its number
};

// By the lock of the state directory, else by who writes to the pins. A file that says a number is
// not believed: FAILED_PRECONDITION where the process of that number is not shown to be the daemon,
// by having the lock file open, or by running this program since before the pins were taken.
absl::StatusOr<LivingDaemon> FindLivingDaemon(const std::string& state_dir,
                                              const std::string& pin_dir);

}  // namespace roster

#endif  // ROSTER_USERSPACE_DAEMON_LIVING_DAEMON_H_

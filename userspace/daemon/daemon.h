// RunDaemon is `roster daemon`: the process around the tracker.
#ifndef ROSTER_USERSPACE_DAEMON_DAEMON_H_
#define ROSTER_USERSPACE_DAEMON_DAEMON_H_

#include <string_view>

#include "absl/status/status.h"
#include "daemon/options.h"

namespace roster {

extern const std::string_view kRosterVersion;

// INVALID_ARGUMENT names the option that cannot be used.
absl::Status CheckDaemonOptions(const DaemonOptions& options);

// Runs until SIGTERM or SIGINT; blocks these for the whole process. ALREADY_EXISTS where another
// daemon runs.
absl::Status RunDaemon(const DaemonOptions& options);

}  // namespace roster

#endif  // ROSTER_USERSPACE_DAEMON_DAEMON_H_

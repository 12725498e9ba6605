// DaemonOptions is what `roster daemon` can be told.
#ifndef ROSTER_USERSPACE_DAEMON_OPTIONS_H_
#define ROSTER_USERSPACE_DAEMON_OPTIONS_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "log/log.h"
#include "roster_abi.h"

namespace roster {

inline constexpr char kDefaultStateDir[] = "/run/roster";
inline constexpr char kDefaultSocket[] = "/run/roster/roster.sock";

struct DaemonOptions {
  std::string socket = kDefaultSocket;
  std::string pin_dir = ROSTER_PIN_DIR;
  std::string state_dir = kDefaultStateDir;  // lock file, learned runtimes
  // For how long a runtime may be paused at most; the keeper lets it go then.
  absl::Duration hold_deadline = absl::Milliseconds(100);
  std::string node_name;  // "": the machine's host name
  uint64_t host_mntns =
      0;  // inode number of the host's mount namespace; 0: the daemon's own is the host's
  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kAuto;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_DAEMON_OPTIONS_H_

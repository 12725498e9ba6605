// Notify tells systemd how the daemon is; nothing where systemd did not start it.
#ifndef ROSTER_USERSPACE_DAEMON_NOTIFY_H_
#define ROSTER_USERSPACE_DAEMON_NOTIFY_H_

#include <string_view>

#include "absl/time/time.h"

namespace roster {

void NotifyReady(std::string_view status);
void NotifyStopping();
void NotifyWatchdog();
// What `systemctl status` shows.
void NotifyStatus(std::string_view status);

// How often NotifyWatchdog must be called: half of what systemd allows. Infinite without a
// watchdog.
absl::Duration WatchdogInterval();

}  // namespace roster

#endif  // ROSTER_USERSPACE_DAEMON_NOTIFY_H_

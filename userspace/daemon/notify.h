// Notify tells systemd how the daemon is; nothing where systemd did not start it.
#ifndef ROSTER_USERSPACE_DAEMON_NOTIFY_H_
#define ROSTER_USERSPACE_DAEMON_NOTIFY_H_

#include <string_view>

#include "absl/time/time.h"

namespace roster {

// `status` is what `systemctl status` shows.
void NotifyReady(std::string_view status);
void NotifyStopping();
void NotifyWatchdog();

// How often to look whether NotifyWatchdog is to be called: a quarter of what systemd allows, so
// that one look at a bad moment does not end a daemon that is well. Infinite without a watchdog.
absl::Duration WatchdogInterval();

}  // namespace roster

#endif  // ROSTER_USERSPACE_DAEMON_NOTIFY_H_

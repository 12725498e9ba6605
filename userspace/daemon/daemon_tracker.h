// DaemonTracker is what RunDaemon keeps running: the seam between the process and the tracker.
#ifndef ROSTER_USERSPACE_DAEMON_DAEMON_TRACKER_H_
#define ROSTER_USERSPACE_DAEMON_DAEMON_TRACKER_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "daemon/options.h"
#include "roster/collection.h"

namespace roster {

// A file descriptor for the event loop to wait on. `on_readable` runs on the loop's thread; false
// ends the loop.
struct LoopHandler {
  int fd = -1;
  std::function<bool()> on_readable;
};

class DaemonTracker {
 public:
  virtual ~DaemonTracker() = default;
  // Pins, programs, hook, adoption of what runs. When it returns, containers are seen.
  virtual absl::Status Start() = 0;
  // The process's event loop, beside the hook's own, which renews the heartbeat. Returns when a
  // handler says so, or with what went wrong.
  virtual absl::Status Run(std::vector<LoopHandler> handlers) = 0;
  // Clean stop: pins and programs stay at work, roster_abi.daemon_pid becomes 0. Nothing may be
  // called after it.
  virtual void Stop() = 0;
  virtual ContainerCollection& collection() = 0;
  // One sentence for each thing that does not work. From any thread.
  virtual std::vector<std::string> Problems() = 0;
  // Whether the loop that follows containers, which has a thread of its own, has turned lately.
  virtual bool Turns() = 0;
};

std::unique_ptr<DaemonTracker> MakeDaemonTracker(const DaemonOptions& options);

}  // namespace roster

#endif  // ROSTER_USERSPACE_DAEMON_DAEMON_TRACKER_H_

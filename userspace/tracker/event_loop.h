// EventLoop waits on descriptors, timers and posted work, on one thread.
#ifndef ROSTER_USERSPACE_TRACKER_EVENT_LOOP_H_
#define ROSTER_USERSPACE_TRACKER_EVENT_LOOP_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "kernel/fd.h"
#include "kernel/mutex.h"

namespace roster {

// Everything but Post and Stop is for the thread that calls Run, or for before Run.
class EventLoop {
 public:
  static absl::StatusOr<std::unique_ptr<EventLoop>> Create();

  // Calls `on_readable` while `fd`, which stays the caller's, is readable. One watcher a
  // descriptor.
  absl::Status Watch(int fd, std::function<void()> on_readable);
  void Unwatch(int fd);

  // Calls `run` once, not before `delay` has passed.
  void RunAfter(absl::Duration delay, std::function<void()> run);

  // Runs `work` on the loop's thread, in the order of posting. Thread-safe; work posted after Run
  // has returned is never run.
  void Post(std::function<void()> work);

  // Until Stop, which any thread may call. An error of epoll_wait ends it.
  absl::Status Run();
  void Stop();

 private:
  EventLoop() = default;
  void ArmTimer();
  void RunTimers();
  void RunPosted();

  Fd epoll_;
  Fd timer_;
  Fd wakeup_;
  bool stopped_ = false;
  absl::flat_hash_map<int, std::shared_ptr<std::function<void()>>> watchers_;
  std::multimap<absl::Duration, std::function<void()>> timers_;  // by CLOCK_MONOTONIC
  Mutex mutex_;
  std::vector<std::function<void()>> posted_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_TRACKER_EVENT_LOOP_H_

// Worker runs pieces of work one after another on a thread of its own.
#ifndef ROSTER_USERSPACE_TRACKER_WORKER_H_
#define ROSTER_USERSPACE_TRACKER_WORKER_H_

#include <deque>
#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "kernel/mutex.h"

namespace roster {

// Keeps what may wait for subscribers or the disk away from the event loop, which holds runtimes.
// Thread-safe.
class Worker {
 public:
  Worker();
  // Finishes what is running, drops what waits.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void Post(std::function<void()> work);

 private:
  void Loop();

  Mutex mutex_;
  CondVar changed_;
  std::deque<std::function<void()>> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_TRACKER_WORKER_H_

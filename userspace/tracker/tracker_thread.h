// TrackerThread runs a Tracker on a thread of its own, for programs that have a main loop already.
#ifndef ROSTER_USERSPACE_TRACKER_TRACKER_THREAD_H_
#define ROSTER_USERSPACE_TRACKER_TRACKER_THREAD_H_

#include <roster/collection.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kernel/mutex.h"
#include "tracker/tracker.h"

namespace roster {

class TrackerThread {
 public:
  using OnStopped = std::function<void(const absl::Status&)>;

  // Returns when containers are seen, or with what went wrong. `on_stopped`, if there is one, is
  // called on the thread when the tracker's loop ends by itself. `collection` must outlive it.
  static absl::StatusOr<std::unique_ptr<TrackerThread>> Start(ContainerCollection* collection,
                                                              TrackerOptions options,
                                                              OnStopped on_stopped);
  // Ends the tracker, cleanly.
  ~TrackerThread();
  TrackerThread(const TrackerThread&) = delete;
  TrackerThread& operator=(const TrackerThread&) = delete;

  // As Tracker's. Thread-safe, until the destructor runs.
  void Follow(const PubSubEvent& event) { tracker_->Follow(event); }
  TracerSink* sink() { return &tracker_->mirror().tracer_sink(); }

 private:
  explicit TrackerThread(OnStopped on_stopped) : on_stopped_(std::move(on_stopped)) {}
  void Run(ContainerCollection* collection, const TrackerOptions& options);

  const OnStopped on_stopped_;
  Mutex mutex_;
  CondVar changed_;
  bool started_ ABSL_GUARDED_BY(mutex_) = false;  // or failed to
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Tracker>
      tracker_;  // written before started_, freed by the thread after stopping_
  std::thread thread_;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_TRACKER_TRACKER_THREAD_H_

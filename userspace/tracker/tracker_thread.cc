#include "tracker/tracker_thread.h"

#include <pthread.h>

namespace roster {

absl::StatusOr<std::unique_ptr<TrackerThread>> TrackerThread::Start(ContainerCollection* collection,
                                                                    TrackerOptions options,
                                                                    OnStopped on_stopped) {
  std::unique_ptr<TrackerThread> self(new TrackerThread(std::move(on_stopped)));
  self->thread_ = std::thread([self = self.get(), collection, options = std::move(options)] {
    pthread_setname_np(pthread_self(), "roster-tracker");
    self->Run(collection, options);
  });
  absl::Status status;
  {
    MutexLock lock(&self->mutex_);
    while (!self->started_) self->changed_.Wait(&self->mutex_);
    status = self->status_;
  }
  if (!status.ok()) return status;
  return self;
}

void TrackerThread::Run(ContainerCollection* collection, const TrackerOptions& options) {
  // The tracker belongs to this thread from beginning to end.
  absl::StatusOr<std::unique_ptr<Tracker>> tracker = Tracker::Start(collection, options);
  const absl::Status status = tracker.status();
  if (tracker.ok()) tracker_ = *std::move(tracker);
  {
    MutexLock lock(&mutex_);
    status_ = status;
    started_ = true;
    changed_.SignalAll();
    if (!status_.ok()) return;
  }
  const absl::Status ended = tracker_->loop().Run();
  bool by_itself = false;
  {
    MutexLock lock(&mutex_);
    by_itself = !stopping_;
  }
  if (by_itself && on_stopped_) on_stopped_(ended);
  {
    MutexLock lock(&mutex_);
    while (!stopping_) changed_.Wait(&mutex_);
  }
  tracker_.reset();
}

TrackerThread::~TrackerThread() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.SignalAll();
    if (tracker_ != nullptr) tracker_->loop().Stop();
  }
  thread_.join();
}

}  // namespace roster

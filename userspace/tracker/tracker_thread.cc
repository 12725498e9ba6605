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
    absl::MutexLock lock(&self->mutex_);
    self->mutex_.Await(absl::Condition(&self->started_));
    status = self->status_;
  }
  if (!status.ok()) return status;
  return self;
}

void TrackerThread::Run(ContainerCollection* collection, const TrackerOptions& options) {
  // The tracker belongs to this thread from beginning to end.
  absl::StatusOr<std::unique_ptr<Tracker>> tracker = Tracker::Start(collection, options);
  if (tracker.ok()) tracker_ = *std::move(tracker);
  {
    absl::MutexLock lock(&mutex_);
    status_ = tracker.status();
    started_ = true;
    if (!status_.ok()) return;
  }
  const absl::Status ended = tracker_->loop().Run();
  {
    absl::ReleasableMutexLock lock(&mutex_);
    if (!stopping_) {
      lock.Release();
      if (on_stopped_) on_stopped_(ended);
      mutex_.LockWhen(absl::Condition(&stopping_));
      mutex_.Unlock();
    }
  }
  tracker_.reset();
}

TrackerThread::~TrackerThread() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    if (tracker_ != nullptr) tracker_->loop().Stop();
  }
  thread_.join();
}

}  // namespace roster

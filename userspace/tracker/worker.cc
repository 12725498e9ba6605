#include "tracker/worker.h"

#include <utility>

namespace roster {

Worker::Worker() : thread_([this] { Loop(); }) {}

Worker::~Worker() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    queue_.clear();
  }
  thread_.join();
}

void Worker::Post(std::function<void()> work) {
  absl::MutexLock lock(&mutex_);
  if (!stopping_) queue_.push_back(std::move(work));
}

void Worker::Loop() {
  for (;;) {
    std::function<void()> work;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(this, &Worker::Ready));
      if (stopping_) return;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    work();
  }
}

}  // namespace roster

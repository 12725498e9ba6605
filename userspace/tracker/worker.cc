#include "tracker/worker.h"

#include <utility>

namespace roster {

Worker::Worker() : thread_([this] { Loop(); }) {}

Worker::~Worker() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.Signal();
    queue_.clear();
  }
  thread_.join();
}

void Worker::Post(std::function<void()> work) {
  MutexLock lock(&mutex_);
  if (stopping_) return;
  queue_.push_back(std::move(work));
  changed_.Signal();
}

void Worker::Loop() {
  for (;;) {
    std::function<void()> work;
    {
      MutexLock lock(&mutex_);
      while (!stopping_ && queue_.empty()) changed_.Wait(&mutex_);
      if (stopping_) return;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    work();
  }
}

}  // namespace roster

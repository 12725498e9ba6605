// Looking a few times for what is about to come, before sleeping.
//
// Not polling: it ends after about what it costs to be woken, which is then paid as well. So
// waiting never costs more than twice what the better of the two would have. On one processor
// nothing comes while somebody looks for it, and nobody looks.
#ifndef ROSTER_USERSPACE_COLLECTION_PUBSUB_SPIN_H_
#define ROSTER_USERSPACE_COLLECTION_PUBSUB_SPIN_H_

#include <thread>

#include "absl/base/thread_annotations.h"
#include "kernel/mutex.h"

namespace roster::pubsub_internal {

inline void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// How often a publisher looks whether its event is dealt with, and a worker for the next event,
// before it sleeps: some microseconds.
inline constexpr int kLooks = 400;

inline const bool kSpins = std::thread::hardware_concurrency() > 1;

// Whether is() has become true.
template <typename Condition>
bool SpinUntil(int times, Condition is) {
  for (int i = kSpins ? times : 0; i > 0; --i) {
    if (is()) return true;
    Pause();
  }
  return is();
}

// A MutexLock for a mutex that is held for some nanoseconds at a time: a mutex that is met locked
// puts one to sleep, and whoever unlocks it has to wake one.
class ABSL_SCOPED_LOCKABLE BriefLock {
 public:
  explicit BriefLock(Mutex* mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : mutex_(mutex) {
    Lock(mutex);
  }
  ~BriefLock() ABSL_UNLOCK_FUNCTION() { mutex_->Unlock(); }
  BriefLock(const BriefLock&) = delete;
  BriefLock& operator=(const BriefLock&) = delete;

  static void Lock(Mutex* mutex)
      ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    if (!SpinUntil(kTimes, [mutex] { return mutex->TryLock(); })) mutex->Lock();
  }

 private:
  static constexpr int kTimes = 30;
  Mutex* const mutex_;
};

}  // namespace roster::pubsub_internal

#endif  // ROSTER_USERSPACE_COLLECTION_PUBSUB_SPIN_H_

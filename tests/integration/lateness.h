// Lateness measures how late this machine wakes a sleeper while a test runs: the part of a delay
// that is the scheduler's and nobody else's.
#ifndef ROSTER_TESTS_INTEGRATION_LATENESS_H_
#define ROSTER_TESTS_INTEGRATION_LATENESS_H_

#include <atomic>
#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace roster::testing {

// Sleeps a millisecond at a time on a thread of its own, from construction to destruction.
class Lateness {
 public:
  Lateness();
  ~Lateness();
  Lateness(const Lateness&) = delete;
  Lateness& operator=(const Lateness&) = delete;

  // The latest of the wake-ups that were due, or slept over, between two moments of
  // CLOCK_MONOTONIC.
  absl::Duration WorstBetween(uint64_t from_ns, uint64_t to_ns) const;

 private:
  void Measure();

  std::atomic<bool> stop_ = false;
  mutable absl::Mutex mutex_;
  // When each was due, and when it came.
  std::vector<std::pair<uint64_t, uint64_t>> wakes_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace roster::testing

#endif  // ROSTER_TESTS_INTEGRATION_LATENESS_H_

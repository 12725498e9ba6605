#include "integration/lateness.h"

#include <time.h>

#include <algorithm>

namespace roster::testing {
namespace {

constexpr uint64_t kSleepNs = 1'000'000;

uint64_t Now() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace

Lateness::Lateness() : thread_([this] { Measure(); }) {}

Lateness::~Lateness() {
  stop_ = true;
  thread_.join();
}

absl::Duration Lateness::WorstBetween(uint64_t from_ns, uint64_t to_ns) const {
  absl::MutexLock lock(&mutex_);
  uint64_t worst = 0;
  for (const auto& [due, woke] : wakes_) {
    if (woke >= from_ns && due <= to_ns) worst = std::max(worst, woke - due);
  }
  return absl::Nanoseconds(static_cast<int64_t>(worst));
}

void Lateness::Measure() {
  const timespec sleep = {0, kSleepNs};
  while (!stop_) {
    const uint64_t due = Now() + kSleepNs;
    clock_nanosleep(CLOCK_MONOTONIC, 0, &sleep, nullptr);
    const uint64_t woke = std::max(due, Now());
    absl::MutexLock lock(&mutex_);
    wakes_.emplace_back(due, woke);
  }
}

}  // namespace roster::testing

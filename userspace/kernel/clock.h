// The kernel's clocks in nanoseconds, as BPF programs and the pins have them.
#ifndef ROSTER_USERSPACE_KERNEL_CLOCK_H_
#define ROSTER_USERSPACE_KERNEL_CLOCK_H_

#include <time.h>

#include <cstdint>

#include "absl/time/time.h"

namespace roster {

inline uint64_t ClockNs(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

// Since boot, with and without the time that the machine slept; nobody sets them.
inline uint64_t BootTimeNs() { return ClockNs(CLOCK_BOOTTIME); }
inline uint64_t MonotonicNs() { return ClockNs(CLOCK_MONOTONIC); }
// Since 1970; may be set.
inline uint64_t RealTimeNs() { return ClockNs(CLOCK_REALTIME); }

// Now by MonotonicNs, for what is due later in this process: a deadline of absl::Now() would move
// when somebody sets the clock. It is no time of day, and not to be compared with one.
inline absl::Time SteadyNow() { return absl::FromUnixNanos(static_cast<int64_t>(MonotonicNs())); }

// The RealTimeNs of a moment of BootTimeNs.
inline int64_t RealTimeOf(uint64_t boot_ns) {
  return static_cast<int64_t>(RealTimeNs() - BootTimeNs() + boot_ns);
}

}  // namespace roster

#endif  // ROSTER_USERSPACE_KERNEL_CLOCK_H_

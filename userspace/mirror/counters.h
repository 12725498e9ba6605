// Counters adds to roster_stats from userspace.
#ifndef ROSTER_USERSPACE_MIRROR_COUNTERS_H_
#define ROSTER_USERSPACE_MIRROR_COUNTERS_H_

#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "kernel/mutex.h"

namespace roster {

// Thread-safe.
class Counters {
 public:
  // `stats_fd` is roster_stats, borrowed.
  explicit Counters(int stats_fd) : stats_fd_(stats_fd) {}

  // `stat` is an enum roster_stat that BPF does not add to. The four that both sides meet,
  // ROSTER_STAT_SLOTS_FULL to ROSTER_STAT_CGROUP_FULL, are counted under the daemon's own numbers,
  // ROSTER_STAT_SLOTS_FULL_DAEMON and those that follow it, since a number has one writer: so
  // callers name what happened, and not who saw it. Another number, like a map that cannot be read,
  // is ignored.
  void Add(uint32_t stat, uint64_t n = 1);

 private:
  Mutex mutex_;
  const int stats_fd_;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_MIRROR_COUNTERS_H_

#include "mirror/counters.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <vector>

#include "roster_abi.h"

namespace roster {

namespace {

// The number under which userspace counts what BPF counts under `stat`.
uint32_t OwnNumber(uint32_t stat) {
  if (stat < ROSTER_STAT_SLOTS_FULL || stat > ROSTER_STAT_CGROUP_FULL) return stat;
  return stat - ROSTER_STAT_SLOTS_FULL + ROSTER_STAT_SLOTS_FULL_DAEMON;
}

}  // namespace

void Counters::Add(uint32_t stat, uint64_t n) {
  const int cpus = libbpf_num_possible_cpus();
  if (cpus <= 0 || stat >= ROSTER_STAT_MAX) return;
  stat = OwnNumber(stat);
  std::vector<uint64_t> values(static_cast<size_t>(cpus));
  MutexLock lock(&mutex_);
  // All CPUs' counts are written back: no number that BPF adds to.
  if (bpf_map_lookup_elem(stats_fd_, &stat, values.data()) != 0) return;
  values[0] += n;
  bpf_map_update_elem(stats_fd_, &stat, values.data(), BPF_ANY);
}

}  // namespace roster

// The maps of ABI version 1 as docs/abi.md has them, written down by hand: what the code has is
// compared with this, never the other way round.
#ifndef ROSTER_TESTS_UNIT_MAPS_PUBLISHED_H_
#define ROSTER_TESTS_UNIT_MAPS_PUBLISHED_H_

#include <linux/bpf.h>

#include <cstdint>
#include <map>
#include <ostream>
#include <string>

#include "absl/strings/str_format.h"

namespace roster {

struct Shape {
  uint32_t type, key, value, max_entries, flags;
  bool operator==(const Shape&) const = default;
  friend void PrintTo(const Shape& s, std::ostream* out) {
    *out << absl::StrFormat("{%u, %u, %u, %u, %u}", s.type, s.key, s.value, s.max_entries, s.flags);
  }
};

inline const std::map<std::string, Shape>& Published() {
  static const auto& shapes = *new std::map<std::string, Shape>{
      {"roster_abi", {BPF_MAP_TYPE_ARRAY, 4, 128, 1, BPF_F_MMAPABLE}},
      {"roster_mntns", {BPF_MAP_TYPE_HASH, 8, 8, 16384, BPF_F_NO_PREALLOC}},
      {"roster_netns", {BPF_MAP_TYPE_HASH, 8, 8, 16384, BPF_F_NO_PREALLOC}},
      {"roster_cgroup", {BPF_MAP_TYPE_HASH, 8, 8, 32768, BPF_F_NO_PREALLOC}},
      {"roster_task", {BPF_MAP_TYPE_TASK_STORAGE, 4, 8, 0, BPF_F_NO_PREALLOC}},
      {"roster_slot", {BPF_MAP_TYPE_ARRAY, 4, 128, 16384, BPF_F_MMAPABLE}},
      {"roster_record", {BPF_MAP_TYPE_HASH, 8, 864, 32768, BPF_F_NO_PREALLOC}},
      {"roster_stats", {BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 32, 0}},
  };
  return shapes;
}

}  // namespace roster

#endif  // ROSTER_TESTS_UNIT_MAPS_PUBLISHED_H_

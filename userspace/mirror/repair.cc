// What a daemon that starts finds in the pins is made to agree with the slots.
#include <bpf/bpf.h>

#include <functional>
#include <optional>

#include "mirror/mirror.h"

namespace roster {

// A child cgroup is no slot's own: its entry is believed as long as there is such a container.
size_t Mirror::RemoveFalseEntries() {
  using IsIts = std::function<bool(const roster_membership& m, uint64_t key)>;
  const auto sweep = [this](BpfMap<uint64_t, uint64_t>* map, const IsIts& is_its) {
    size_t removed = 0;
    for (uint64_t key : map->Keys()) {
      const std::optional<uint64_t> handle = map->Find(key);
      if (!handle) continue;
      const std::optional<roster_membership> m = slots_.Snapshot(*handle);
      // The kernel's programs may have given it to another by now.
      if ((!m || !is_its(*m, key)) && map->Find(key) == handle) removed += map->Remove(key);
    }
    return removed;
  };
  return sweep(&maps_.mntns, [](const auto& m, uint64_t key) { return m.mntns == key; }) +
         sweep(&maps_.netns, [](const auto& m, uint64_t key) { return m.netns == key; }) +
         sweep(&maps_.cgroup, [](const auto&, uint64_t) { return true; });
}

// Of those that live; pods see to the network namespaces.
size_t Mirror::EnterMissing() {
  size_t entered = 0;
  for (uint64_t handle : slots_.Handles()) {
    const std::optional<roster_membership> m = slots_.Snapshot(handle);
    if (!m || m->state >= ROSTER_ENDED) continue;
    if ((m->flags & (ROSTER_F_JOIN | ROSTER_F_POD)) != 0) continue;
    if (m->mntns != 0) entered += maps_.mntns.Set(m->mntns, handle, BPF_NOEXIST).ok();
    if (m->cgroup_id != 0) entered += maps_.cgroup.Set(m->cgroup_id, handle, BPF_NOEXIST).ok();
  }
  return entered;
}

size_t Mirror::Repair() {
  size_t repaired = slots_.FreeAbandoned() + FreeUntaken();
  // The tracers of an earlier writer are gone with it.
  for (uint64_t handle : slots_.Handles()) tracer_sets_.SetTracerBits(handle, {}).IgnoreError();
  tracer_sets_.EmptyAll();
  repaired += RemoveFalseEntries();
  repaired += EnterMissing();
  for (uint64_t handle : maps_.records.Keys()) {
    if (slots_.Find(handle) == nullptr && maps_.records.Remove(handle)) ++repaired;
  }
  repaired += pods_.Load();
  abi_.Changed();
  return repaired;
}

}  // namespace roster

#include "mirror/pods.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <optional>

#include "kernel/clock.h"
#include "kernel/errors.h"
#include "kernel/host.h"
#include "kernel/shared_field.h"
#include "mirror/record.h"

namespace roster {

Pods::Pods(PinnedMaps* maps, SlotTable* slots, Counters* counters)
    : maps_(maps), slots_(slots), counters_(counters) {}

size_t Pods::Load() {
  MutexLock lock(&mutex_);
  for (uint64_t handle : slots_->Handles()) {
    const std::optional<roster_membership> m = slots_->Snapshot(handle);
    if (!m || m->netns == 0 || (m->flags & ROSTER_F_JOIN) != 0) continue;
    const Netns netns(m->netns, m->netns_cookie);
    if ((m->flags & ROSTER_F_POD) == 0) {
      AddMember(netns, handle);
      continue;
    }
    // Two for one namespace: the daemon was killed before the members knew the first.
    uint64_t& pod = groups_[netns].pod;
    if (pod != 0) DropPod(netns, pod);
    pod = handle;
  }
  size_t repaired = 0;
  for (auto it = groups_.begin(); it != groups_.end();) {
    const auto& [netns, group] = *it;
    if (group.members.empty()) {
      DropPod(netns, group.pod);
      ++repaired;
      groups_.erase(it++);
      continue;
    }
    repaired += HandOn(netns, group);
    ++it;
  }
  return repaired;
}

absl::Status Pods::Join(const roster_membership& slot, const Container& container) {
  const Netns netns(slot.netns, slot.netns_cookie);
  MutexLock lock(&mutex_);
  const auto of = netns_of_.find(slot.handle);
  if (of != netns_of_.end() && of->second != netns) LeaveGroup(slot.handle);
  if (slot.netns == 0 || slot.state >= ROSTER_ENDED) return absl::OkStatus();
  AddMember(netns, slot.handle);
  Group& group = groups_[netns];
  if (group.pod == 0) {
    if (group.members.size() > 1) return MakePod(netns, container, &group);
    return EnterAs(netns, slot.handle);
  }
  if (roster_membership* member = slots_->Find(slot.handle)) {
    StoreField(member->pod, group.pod);
    SetBits(member->flags, ROSTER_F_SHARED_NETNS);
  }
  return EnterAs(netns, group.pod);
}

absl::Status Pods::Enter(const roster_membership& slot) {
  if (slot.netns == 0) return absl::OkStatus();
  return EnterAs({slot.netns, slot.netns_cookie}, slot.handle);
}

void Pods::Leave(uint64_t handle) {
  MutexLock lock(&mutex_);
  LeaveGroup(handle);
}

absl::Status Pods::MakePod(const Netns& netns, const Container& container, Group* group) {
  absl::StatusOr<uint64_t> pod = slots_->Reserve();
  if (!pod.ok()) {
    counters_->Add(ROSTER_STAT_SLOTS_FULL);
    return pod.status();
  }
  Container description;
  description.runtime.runtime_name = container.runtime.runtime_name;
  description.k8s = container.k8s;
  description.k8s.container_name.clear();
  description.netns = netns.first;
  roster_record record = MakeRecord(description);
  record.handle = *pod;
  record.created_at_ns = RealTimeNs();
  if (absl::Status status = maps_->records.Set(*pod, record); !status.ok()) {
    counters_->Add(ROSTER_STAT_RECORD_FULL);
    slots_->Free(*pod);
    return status;
  }
  roster_membership& m = maps_->slots[ROSTER_HANDLE_SLOT(*pod)];
  m.flags = ROSTER_F_POD;
  m.netns = static_cast<uint32_t>(netns.first);
  m.netns_cookie = netns.second;
  slots_->Publish(*pod, ROSTER_BOUND);
  group->pod = *pod;
  for (uint64_t handle : group->members) {
    if (roster_membership* member = slots_->Find(handle)) {
      StoreField(member->pod, *pod);
      SetBits(member->flags, ROSTER_F_SHARED_NETNS);
    }
  }
  return Put(netns, *pod, BPF_ANY);
}

void Pods::AddMember(const Netns& netns, uint64_t handle) {
  std::vector<uint64_t>& members = groups_[netns].members;
  if (std::find(members.begin(), members.end(), handle) != members.end()) return;
  members.push_back(handle);
  netns_of_[handle] = netns;
}

void Pods::LeaveGroup(uint64_t handle) {
  const auto of = netns_of_.find(handle);
  if (of == netns_of_.end()) return;
  const Netns netns = of->second;
  netns_of_.erase(of);
  const auto it = groups_.find(netns);
  if (it == groups_.end()) return;
  Group& group = it->second;
  std::erase(group.members, handle);
  if (!group.members.empty()) {
    HandOn(netns, group);
    return;
  }
  if (group.pod != 0) DropPod(netns, group.pod);
  groups_.erase(it);
}

void Pods::DropPod(const Netns& netns, uint64_t pod) {
  if (maps_->netns.Find(netns.first) == pod) maps_->netns.Remove(netns.first);
  maps_->records.Remove(pod);
  if (slots_->Claim(pod, ROSTER_BOUND)) slots_->Free(pod);
}

bool Pods::HandOn(const Netns& netns, const Group& group) {
  const std::optional<uint64_t> held = maps_->netns.Find(netns.first);
  if (held && Lives(*held)) return false;
  const auto heir = std::find_if(group.members.begin(), group.members.end(),
                                 [this](uint64_t member) { return Lives(member); });
  if (heir == group.members.end()) return false;
  return Put(netns, group.pod != 0 ? group.pod : *heir, held ? BPF_ANY : BPF_NOEXIST).ok();
}

bool Pods::Lives(uint64_t handle) const {
  const std::optional<roster_membership> m = slots_->Snapshot(handle);
  return m && m->state < ROSTER_ENDED;
}

absl::Status Pods::EnterAs(const Netns& netns, uint64_t handle) {
  const std::optional<uint64_t> held = maps_->netns.Find(netns.first);
  if (!held) return Put(netns, handle, BPF_NOEXIST);
  // One of an earlier namespace of this number gives way.
  const std::optional<roster_membership> m = slots_->Snapshot(*held);
  const bool same = m && m->netns_cookie == netns.second;
  return same && m->state < ROSTER_ENDED ? absl::OkStatus() : Put(netns, handle, BPF_ANY);
}

absl::Status Pods::Put(const Netns& netns, uint64_t handle, uint64_t flags) {
  absl::Status status = maps_->netns.Set(netns.first, handle, flags);
  if (absl::IsAlreadyExists(status)) return absl::OkStatus();  // BPF was faster
  if (!status.ok()) counters_->Add(ROSTER_STAT_NETNS_FULL);
  return status;
}

}  // namespace roster

// Pods keeps roster_netns: a network namespace leads to its container, or to a pod where several
// share it.
#ifndef ROSTER_USERSPACE_MIRROR_PODS_H_
#define ROSTER_USERSPACE_MIRROR_PODS_H_

#include <roster/container.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "kernel/mutex.h"
#include "kernel/pins.h"
#include "mirror/counters.h"
#include "mirror/slot_table.h"

namespace roster {

// BPF enters and forgets network namespaces too, but cannot know who else is in one. Thread-safe.
class Pods {
 public:
  // All must outlive it.
  Pods(PinnedMaps* maps, SlotTable* slots, Counters* counters);

  // Learns from the slots who shares what, after a restart: pods live on while a member's slot
  // does, and a namespace that lost its entry with the one of its containers that had it gets
  // another's. Returns how many pods were dropped and entries made. Before anybody calls Join.
  size_t Load();

  // The container of `slot` is in its network namespace (if any): enters it, or makes the two a
  // pod. `container` tells the pod's names. RESOURCE_EXHAUSTED, naming the map, when one is full;
  // counted.
  absl::Status Join(const roster_membership& slot, const Container& container);

  // Enters the slot's network namespace where it leads to nobody that lives in it. Errors as Join.
  absl::Status Enter(const roster_membership& slot);

  // The container's slot is gone, or about to be freed: its namespace leads to who remains, and the
  // last one takes the pod along. Idempotent.
  void Leave(uint64_t handle);

 private:
  // Inode number and cookie: the kernel uses the former again while the slots of the last
  // namespace's containers may still be there.
  using Netns = std::pair<uint64_t, uint64_t>;
  struct Group {
    std::vector<uint64_t> members;
    uint64_t pod = 0;
  };

  absl::Status MakePod(const Netns& netns, const Container& container, Group* group)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AddMember(const Netns& netns, uint64_t handle) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void LeaveGroup(uint64_t handle) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DropPod(const Netns& netns, uint64_t pod);
  // True when the entry was missing, or an ended one's, and leads to the group now.
  bool HandOn(const Netns& netns, const Group& group);
  // Makes the namespace lead to `handle` unless it leads to somebody who lives in it.
  absl::Status EnterAs(const Netns& netns, uint64_t handle);
  absl::Status Put(const Netns& netns, uint64_t handle, uint64_t flags);
  bool Lives(uint64_t handle) const;

  PinnedMaps* const maps_;
  SlotTable* const slots_;
  Counters* const counters_;
  Mutex mutex_;
  absl::flat_hash_map<Netns, Group> groups_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<uint64_t, Netns> netns_of_ ABSL_GUARDED_BY(mutex_);  // by handle
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_MIRROR_PODS_H_

// Store holds the entries of a collection in all indexes. One writer at a time; readers in a
// ReadSection.
#ifndef ROSTER_USERSPACE_COLLECTION_STORE_H_
#define ROSTER_USERSPACE_COLLECTION_STORE_H_

#include <atomic>
#include <deque>
#include <vector>

#include "collection/entry.h"
#include "collection/index.h"
#include "collection/pod_members.h"
#include "collection/read_domain.h"
#include "roster/selector.h"

namespace roster::collection_internal {

class Store {
 public:
  Store() = default;
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // --- The writer's ---
  void Insert(Entry* entry);
  // Out of all indexes, and freed when no reader can have it.
  void Erase(Entry* entry);
  void Replace(Entry* old, Entry* fresh);
  // Remembers a removed container until `expires`, of SteadyNow(); calls must come in the order of
  // that time.
  void Remember(ContainerPtr container, absl::Time expires);
  // Forgets what has expired; returns when the next one will, InfiniteFuture for none.
  absl::Time ForgetExpired(absl::Time now);
  void Clear();
  void Reclaim() { retire_.Reclaim(); }

  // The oldest with that handle that is not being removed; nullptr: none.
  Entry* LivingByHandle(uint64_t handle);
  // The one with the container's id and handle, else the oldest that is the SameContainer; none
  // that is being removed. nullptr: none.
  Entry* LivingLike(const Container& container);

  // --- Readers' and the writer's ---
  size_t size() const { return size_.load(std::memory_order_relaxed); }
  size_t remembered() const { return remembered_count_.load(std::memory_order_relaxed); }

  // In the order of insertion; an entry that is replaced stays where it was.
  const Link* FirstOfAll() const { return all_.load(std::memory_order_acquire); }

  // Every entry that matches, once.
  std::vector<ContainerPtr> Select(const CompiledSelector& selector) const;

  Index<EntryTraits<kId, &IdOf>> by_id;
  Index<EntryTraits<kMntns, &MntnsOf>> by_mntns;
  Index<EntryTraits<kNetns, &NetnsOf>> by_netns;
  Index<EntryTraits<kCgroup, &CgroupOf>> by_cgroup;
  Index<EntryTraits<kPid, &PidOf>> by_pid;
  Index<EntryTraits<kHandle, &HandleOf>> by_handle;
  Index<EntryTraits<kPodUid, &PodUidOf>> by_pod_uid;
  Index<EntryTraits<kNamespace, &NamespaceOf>> by_namespace;
  Index<EntryTraits<kPod, &PodOf>> by_pod;
  Index<EntryTraits<kContainerName, &ContainerNameOf>> by_container_name;
  Index<EntryTraits<kRuntimeContainerName, &RuntimeContainerNameOf>> by_runtime_container_name;
  Index<EntryTraits<kRuntime, &RuntimeOf>> by_runtime;
  Index<LabelTraits> by_label;
  Index<PodTraits> pods;

  Index<RememberedTraits<0, &MntnsOf>> remembered_by_mntns;
  Index<RememberedTraits<1, &NetnsOf>> remembered_by_netns;

 private:
  // Calls visit(index, number) for the index of each of an entry's links but kAll.
  template <typename Visit>
  void ForEachIndex(Visit visit);

  // In one pod, or in none; either may be nullptr.
  void ChangePod(const Entry* leaving, const Entry* joining);
  void ReplaceInAll(Entry* old, Entry* fresh);
  void ReplaceLabels(Entry* old, Entry* fresh);

  std::atomic<Link*> all_{nullptr};
  std::atomic<size_t> size_{0};
  // Odd while an entry changes its place in an index: who collects from several lists must then
  // look again.
  std::atomic<uint64_t> moves_{0};
  std::atomic<size_t> remembered_count_{0};
  std::deque<Remembered*> remembered_;
  RetireList retire_;
};

}  // namespace roster::collection_internal

#endif  // ROSTER_USERSPACE_COLLECTION_STORE_H_

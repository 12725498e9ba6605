// The look-ups of ContainerCollection by pod: no lock, one ReadSection each.
#include <string>
#include <utility>
#include <vector>

#include "collection/core.h"
#include "roster/collection.h"

namespace roster {

namespace ci = collection_internal;
using ci::Entry;
using ci::Link;
using ci::OwnerOf;
using ci::ReadSection;

namespace {

// visit(entry) for each container of the namespace that is in no pod, until it returns false: no
// index has those. Caller holds a ReadSection.
template <typename Visit>
void ForEachOutsidePods(const ci::Store& store, std::string_view namespace_name, Visit visit) {
  for (const Link* link = store.FirstOfAll(); link != nullptr; link = link->Next()) {
    const Entry& entry = *OwnerOf<ci::kAll>(link);
    const K8sMetadata& k8s = entry.container.k8s;
    if (k8s.pod_name.empty() && k8s.namespace_name == namespace_name && !visit(entry)) return;
  }
}

// A value for each container of the pod: value_of(mntns, pid).
template <typename Value, typename ValueOf>
PodMap<Value> ByPod(const ci::Store& store, std::string_view namespace_name, std::string_view pod,
                    ValueOf value_of) {
  std::vector<std::pair<std::string, Value>> values;
  const ReadSection section;
  if (pod.empty()) {
    ForEachOutsidePods(store, namespace_name, [&](const Entry& entry) {
      const Container& c = entry.container;
      values.emplace_back(c.k8s.container_name, value_of(c.mntns, c.runtime.container_pid));
      return true;
    });
  } else if (const Link* link = store.pods.Find({namespace_name, pod}); link != nullptr) {
    const auto& members = *static_cast<const ci::PodMembers*>(link);
    values.reserve(members.size());
    members.ForEach([&](std::string_view name, const ci::PodMembers::Member& member) {
      if (!member.hidden) values.emplace_back(name, value_of(member.mntns, member.pid));
    });
    return PodMap<Value>(kSortedUnique, std::move(values));
  }
  return PodMap<Value>(std::move(values));
}

// Calls found(container) for the first container of that name in the pod.
template <typename Found>
void FindInPod(const ci::Store& store, std::string_view namespace_name, std::string_view pod,
               std::string_view name, Found found) {
  const ReadSection section;
  const auto is_it = [&](const Entry& entry) {
    return entry.container.k8s.container_name == name &&
           entry.container.k8s.namespace_name == namespace_name;
  };
  if (pod.empty()) {
    ForEachOutsidePods(store, namespace_name, [&](const Entry& entry) {
      if (!is_it(entry)) return true;
      found(entry.container);
      return false;
    });
    return;
  }
  // By the hash of the name first: a pod's other containers then cost a line of memory each.
  const Entry::Hash hash = ci::ShortHash(name);
  for (const Link* link = store.by_pod.Find(pod); link != nullptr; link = link->Next()) {
    const Entry& entry = *OwnerOf<ci::kPod>(link);
    if (entry.container_name_hash != hash || !is_it(entry)) continue;
    found(entry.container);
    return;
  }
}

}  // namespace

uint64_t ContainerCollection::LookupMntnsByContainer(std::string_view namespace_name,
                                                     std::string_view pod,
                                                     std::string_view container) const {
  uint64_t mntns = 0;
  FindInPod(core_->store(), namespace_name, pod, container,
            [&](const Container& c) { mntns = c.mntns; });
  return mntns;
}

uint32_t ContainerCollection::LookupPIDByContainer(std::string_view namespace_name,
                                                   std::string_view pod,
                                                   std::string_view container) const {
  uint32_t pid = 0;
  FindInPod(core_->store(), namespace_name, pod, container,
            [&](const Container& c) { pid = c.runtime.container_pid; });
  return pid;
}

PodMap<uint64_t> ContainerCollection::LookupMntnsByPod(std::string_view namespace_name,
                                                       std::string_view pod) const {
  return ByPod<uint64_t>(core_->store(), namespace_name, pod,
                         [](uint64_t mntns, uint32_t) { return mntns; });
}

PodMap<uint32_t> ContainerCollection::LookupPIDByPod(std::string_view namespace_name,
                                                     std::string_view pod) const {
  return ByPod<uint32_t>(core_->store(), namespace_name, pod,
                         [](uint64_t, uint32_t pid) { return pid; });
}

}  // namespace roster

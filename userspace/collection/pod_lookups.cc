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

// visit(entry) for each container of the pod until it returns false. Caller holds a ReadSection.
template <typename Visit>
void ForEachInPod(const ci::Store& store, std::string_view namespace_name, std::string_view pod,
                  Visit visit) {
  if (pod.empty()) {
    // Containers outside Kubernetes have no pod, and no index has them under "".
    for (const Link* link = store.FirstOfAll(); link != nullptr; link = link->Next()) {
      const Entry& entry = *OwnerOf<ci::kAll>(link);
      if (!entry.container.k8s.pod_name.empty()) continue;
      if (entry.container.k8s.namespace_name == namespace_name && !visit(entry)) return;
    }
    return;
  }
  const Link* const first = store.by_pod.Find(pod);
  // From the last towards us: each link is known only when the one before has come from memory,
  // and two such chains take the time of one.
  const Link* ahead = first == nullptr ? nullptr : first->Prev();
  uint64_t number = 0;
  for (const Link* link = first; link != nullptr; link = link->Next()) {
    if (ahead != nullptr) {
      OwnerOf<ci::kPod>(ahead)->PrefetchForPod();
      ahead = ahead->Prev();
    }
    const Entry& entry = *OwnerOf<ci::kPod>(link);
    if (number == 0) {
      if (entry.container.k8s.namespace_name != namespace_name) continue;
      number = entry.pod;
    }
    if (entry.pod == number && !visit(entry)) return;
  }
}

template <typename Value, typename ValueOf>
PodMap<Value> ByPod(const ci::Store& store, std::string_view namespace_name, std::string_view pod,
                    ValueOf value_of) {
  // More than most pods have: one allocation.
  constexpr size_t kExpected = 16;
  std::vector<std::pair<std::string, Value>> values;
  const ReadSection section;
  ForEachInPod(store, namespace_name, pod, [&](const Entry& entry) {
    if (values.empty()) values.reserve(kExpected);
    values.emplace_back(entry.container.k8s.container_name, value_of(entry.container));
    return true;
  });
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
    ForEachInPod(store, namespace_name, pod, [&](const Entry& entry) {
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
                         [](const Container& c) { return c.mntns; });
}

PodMap<uint32_t> ContainerCollection::LookupPIDByPod(std::string_view namespace_name,
                                                     std::string_view pod) const {
  return ByPod<uint32_t>(core_->store(), namespace_name, pod,
                         [](const Container& c) { return c.runtime.container_pid; });
}

}  // namespace roster

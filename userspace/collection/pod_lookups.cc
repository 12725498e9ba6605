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

// The value of the container of that name that joined the pod first, 0 when there is none.
template <typename Value, typename ValueOf>
Value InPod(const ci::Store& store, std::string_view namespace_name, std::string_view pod,
            std::string_view name, ValueOf value_of) {
  Value value = 0;
  bool found = false;
  const ReadSection section;
  if (pod.empty()) {
    ForEachOutsidePods(store, namespace_name, [&](const Entry& entry) {
      const Container& c = entry.container;
      found = c.k8s.container_name == name;
      if (found) value = value_of(c.mntns, c.runtime.container_pid);
      return !found;
    });
  } else if (const Link* link = store.pods.Find({namespace_name, pod}); link != nullptr) {
    static_cast<const ci::PodMembers*>(link)->ForEach(
        [&](std::string_view member_name, const ci::PodMembers::Member& member) {
          if (found || member_name != name) return;
          found = true;
          value = value_of(member.mntns, member.pid);
        });
  }
  return value;
}

constexpr auto kMntnsOf = [](uint64_t mntns, uint32_t) { return mntns; };
constexpr auto kPidOf = [](uint64_t, uint32_t pid) { return pid; };

}  // namespace

uint64_t ContainerCollection::LookupMntnsByContainer(std::string_view namespace_name,
                                                     std::string_view pod,
                                                     std::string_view container) const {
  return InPod<uint64_t>(core_->store(), namespace_name, pod, container, kMntnsOf);
}

uint32_t ContainerCollection::LookupPIDByContainer(std::string_view namespace_name,
                                                   std::string_view pod,
                                                   std::string_view container) const {
  return InPod<uint32_t>(core_->store(), namespace_name, pod, container, kPidOf);
}

PodMap<uint64_t> ContainerCollection::LookupMntnsByPod(std::string_view namespace_name,
                                                       std::string_view pod) const {
  return ByPod<uint64_t>(core_->store(), namespace_name, pod, kMntnsOf);
}

PodMap<uint32_t> ContainerCollection::LookupPIDByPod(std::string_view namespace_name,
                                                     std::string_view pod) const {
  return ByPod<uint32_t>(core_->store(), namespace_name, pod, kPidOf);
}

}  // namespace roster

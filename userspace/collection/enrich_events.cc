// How events are given the metadata of the container that they happened in.
#include "collection/core.h"
#include "kernel/clock.h"
#include "roster/collection.h"

namespace roster {

namespace ci = collection_internal;
using ci::Link;
using ci::OwnerOf;
using ci::ReadSection;

namespace {

// A removed container whose grace period is not over. Time is asked for only when there is one.
template <size_t kNumber>
const ContainerPtr* StillRemembered(const Link* last) {
  if (last == nullptr) return nullptr;
  const ci::Remembered* remembered = ci::RememberedOf<kNumber>(last);
  return SteadyNow() < remembered->expires ? &remembered->container : nullptr;
}

// Caller holds a ReadSection, for as long as the result is used.
const ContainerPtr* FindByMntns(const ci::Store& store, uint64_t mntns) {
  if (const Link* link = store.by_mntns.FindLast(mntns)) return &OwnerOf<ci::kMntns>(link)->self;
  return StillRemembered<0>(store.remembered_by_mntns.FindLast(mntns));
}

struct NetnsMatch {
  const ContainerPtr* first = nullptr;
  bool several = false;
};

NetnsMatch FindByNetns(const ci::Store& store, uint64_t netns) {
  if (const Link* link = store.by_netns.Find(netns)) {
    return {&OwnerOf<ci::kNetns>(link)->self, link->Next() != nullptr};
  }
  const Link* first = store.remembered_by_netns.Find(netns);
  // The oldest may have expired where a younger one has not.
  while (first != nullptr && StillRemembered<1>(first) == nullptr) first = first->Next();
  if (first == nullptr) return {};
  return {StillRemembered<1>(first), first->Next() != nullptr};
}

bool HasPod(const Container& container) {
  return !container.k8s.pod_name.empty() && !container.k8s.namespace_name.empty();
}

void Set(CommonData* event, const ContainerPtr& container, CommonData::Scope scope) {
  event->source = container;
  event->scope = scope;
}

}  // namespace

void ContainerCollection::EnrichNode(CommonData* event) const { event->node = core_->node_name(); }

void ContainerCollection::EnrichByMntNs(CommonData* event, uint64_t mntns) const {
  EnrichNode(event);
  const ReadSection section;
  if (const ContainerPtr* container = FindByMntns(core_->store(), mntns)) {
    Set(event, *container, CommonData::Scope::kContainer);
  }
}

void ContainerCollection::EnrichByNetNs(CommonData* event, uint64_t netns) const {
  EnrichNode(event);
  const ReadSection section;
  const NetnsMatch match = FindByNetns(core_->store(), netns);
  if (match.first == nullptr) return;
  const Container& container = **match.first;
  if (container.host_network) {
    event->host_network = true;
  } else if (!match.several) {
    Set(event, *match.first, CommonData::Scope::kContainer);
  } else if (HasPod(container)) {
    Set(event, *match.first, CommonData::Scope::kPod);
  }
}

bool ContainerCollection::EnrichEventByMntNs(ContainerInfoFromMountNSID* event) const {
  event->SetNode(core_->node_name());
  ContainerPtr container;
  {
    const ReadSection section;
    const ContainerPtr* found = FindByMntns(core_->store(), event->GetMountNSID());
    if (found == nullptr) return false;
    container = *found;
  }
  event->SetContainerMetadata(container);
  return true;
}

bool ContainerCollection::EnrichEventByNetNs(ContainerInfoFromNetNSID* event) const {
  event->SetNode(core_->node_name());
  ContainerPtr container;
  bool several = false;
  {
    const ReadSection section;
    const NetnsMatch match = FindByNetns(core_->store(), event->GetNetNSID());
    if (match.first == nullptr) return false;
    container = *match.first;
    several = match.several;
  }
  if (container->host_network) return false;
  if (!several) {
    event->SetContainerMetadata(container);
    return true;
  }
  if (!HasPod(*container)) return false;
  event->SetPodMetadata(container);
  return true;
}

}  // namespace roster

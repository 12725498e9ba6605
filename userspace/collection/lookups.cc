// The look-ups of ContainerCollection and ContainerReader: no lock, one ReadSection each.
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "collection/core.h"
#include "roster/collection.h"

namespace roster {

namespace ci = collection_internal;
using ci::Entry;
using ci::HandOut;
using ci::Link;
using ci::OwnerOf;
using ci::ReadSection;

namespace {

// The oldest that is not being removed; the oldest when all are.
template <size_t kNumber>
const Entry* PreferLiving(const Link* first) {
  for (const Link* link = first; link != nullptr; link = link->Next()) {
    const Entry* entry = OwnerOf<kNumber>(link);
    if (!entry->removing.load(std::memory_order_relaxed)) return entry;
  }
  return first == nullptr ? nullptr : OwnerOf<kNumber>(first);
}

template <size_t kNumber>
ContainerPtr Handed(const Link* link) {
  return link == nullptr ? nullptr : OwnerOf<kNumber>(link)->Handed();
}

template <size_t kNumber>
std::vector<ContainerPtr> Collect(const Link* first) {
  absl::InlinedVector<const Entry*, 64> entries;
  for (const Link* link = first; link != nullptr; link = link->Next()) {
    entries.push_back(OwnerOf<kNumber>(link));
    entries.back()->Prefetch();
  }
  return HandOut(entries);
}

}  // namespace

ContainerPtr ContainerCollection::GetContainer(std::string_view id) const {
  const ReadSection section;
  const Entry* entry = PreferLiving<ci::kId>(core_->store().by_id.Find(id));
  return entry == nullptr ? nullptr : entry->Handed();
}

std::vector<ContainerPtr> ContainerCollection::GetContainers(std::string_view id) const {
  const ReadSection section;
  return Collect<ci::kId>(core_->store().by_id.Find(id));
}

absl::StatusOr<ContainerPtr> ContainerCollection::GetContainerByIdPrefix(
    std::string_view prefix) const {
  if (prefix.empty())
    return absl::InvalidArgumentError("container by id prefix: the prefix is empty");
  if (ContainerPtr exact = GetContainer(prefix)) return exact;
  ContainerPtr found;
  const ReadSection section;
  for (const Link* link = core_->store().FirstOfAll(); link != nullptr; link = link->Next()) {
    const Entry* entry = OwnerOf<ci::kAll>(link);
    if (!entry->container.runtime.container_id.starts_with(prefix)) continue;
    // Two containers of one id are one answer, as in GetContainer.
    if (found != nullptr && found->runtime.container_id != entry->container.runtime.container_id) {
      return absl::FailedPreconditionError(
          absl::StrCat("container by id prefix ", std::string(prefix), ": is ambiguous"));
    }
    if (found == nullptr) found = entry->self;
  }
  if (found == nullptr) {
    return absl::NotFoundError(
        absl::StrCat("container by id prefix ", std::string(prefix), ": there is none"));
  }
  return found;
}

ContainerPtr ContainerCollection::LookupContainerByMntns(uint64_t mntns) const {
  const ReadSection section;
  return Handed<ci::kMntns>(core_->store().by_mntns.FindLast(mntns));
}

std::vector<ContainerPtr> ContainerCollection::LookupContainersByMntns(uint64_t mntns) const {
  const ReadSection section;
  return Collect<ci::kMntns>(core_->store().by_mntns.Find(mntns));
}

std::vector<ContainerPtr> ContainerCollection::LookupContainersByNetns(uint64_t netns) const {
  const ReadSection section;
  return Collect<ci::kNetns>(core_->store().by_netns.Find(netns));
}

ContainerPtr ContainerCollection::LookupContainerByCgroupId(uint64_t cgroup_id) const {
  const ReadSection section;
  return Handed<ci::kCgroup>(core_->store().by_cgroup.FindLast(cgroup_id));
}

ContainerPtr ContainerCollection::LookupContainerByPid(uint32_t pid) const {
  const ReadSection section;
  return Handed<ci::kPid>(core_->store().by_pid.FindLast(pid));
}

ContainerPtr ContainerCollection::LookupContainerByHandle(uint64_t handle) const {
  const ReadSection section;
  return Handed<ci::kHandle>(core_->store().by_handle.FindLast(handle));
}

std::vector<ContainerPtr> ContainerCollection::LookupContainersByPodUid(
    std::string_view uid) const {
  const ReadSection section;
  return Collect<ci::kPodUid>(core_->store().by_pod_uid.Find(uid));
}

std::optional<OwnerReference> ContainerCollection::LookupOwnerReferenceByMntns(uint64_t mntns) {
  const ContainerPtr container = LookupContainerByMntns(mntns);
  if (container == nullptr) return std::nullopt;
  if (container->k8s.owner != nullptr) return *container->k8s.owner;
  const std::shared_ptr<OwnerSource> source = core_->owner_source();
  if (source == nullptr || container->k8s.pod_name.empty()) return std::nullopt;
  OwnerWalk walk = WalkOwners(*source, container->k8s.namespace_name, container->k8s.pod_name);
  if (!walk.status.ok()) core_->Warn(std::string(walk.status.message()));
  // Half a walk is an answer, but not one to keep.
  if (walk.status.ok() && walk.owner.has_value()) core_->SetOwner(container, *walk.owner);
  return walk.owner;
}

absl::StatusOr<std::vector<ContainerPtr>> ContainerCollection::GetContainersBySelector(
    const ContainerSelector& selector) const {
  absl::StatusOr<CompiledSelector> compiled = CompiledSelector::Compile(selector);
  if (!compiled.ok()) return compiled.status();
  return core_->store().Select(*compiled);
}

std::vector<ContainerPtr> ContainerCollection::GetContainersBySelector(
    const CompiledSelector& selector) const {
  return core_->store().Select(selector);
}

size_t ContainerCollection::ContainerLen() const { return core_->store().size(); }

void ContainerCollection::ContainerRange(
    const std::function<void(const ContainerPtr&)>& callback) const {
  for (const ContainerPtr& container : GetContainersBySelector(CompiledSelector())) {
    callback(container);
  }
}

absl::Status ContainerCollection::ContainerRangeWithSelector(
    const ContainerSelector& selector,
    const std::function<void(const ContainerPtr&)>& callback) const {
  absl::StatusOr<std::vector<ContainerPtr>> containers = GetContainersBySelector(selector);
  if (!containers.ok()) return containers.status();
  for (const ContainerPtr& container : *containers) callback(container);
  return absl::OkStatus();
}

ContainerReader::ContainerReader(const ContainerCollection& collection) : core_(*collection.core_) {
  ci::ReadDomain::Enter();
}
ContainerReader::~ContainerReader() { ci::ReadDomain::Exit(); }

namespace {
template <size_t kNumber>
const Container* Borrowed(const Link* link) {
  return link == nullptr ? nullptr : &OwnerOf<kNumber>(link)->container;
}
}  // namespace

const Container* ContainerReader::ById(std::string_view id) const {
  const Entry* entry = PreferLiving<ci::kId>(core_.store().by_id.Find(id));
  return entry == nullptr ? nullptr : &entry->container;
}
const Container* ContainerReader::ByMntns(uint64_t mntns) const {
  return Borrowed<ci::kMntns>(core_.store().by_mntns.FindLast(mntns));
}
const Container* ContainerReader::ByCgroupId(uint64_t cgroup_id) const {
  return Borrowed<ci::kCgroup>(core_.store().by_cgroup.FindLast(cgroup_id));
}
const Container* ContainerReader::ByPid(uint32_t pid) const {
  return Borrowed<ci::kPid>(core_.store().by_pid.FindLast(pid));
}
const Container* ContainerReader::ByHandle(uint64_t handle) const {
  return Borrowed<ci::kHandle>(core_.store().by_handle.FindLast(handle));
}
const Container* ContainerReader::FirstByNetns(uint64_t netns) const {
  return Borrowed<ci::kNetns>(core_.store().by_netns.Find(netns));
}
void ContainerReader::ForEachInNetns(uint64_t netns,
                                     const std::function<bool(const Container&)>& callback) const {
  for (const Link* link = core_.store().by_netns.Find(netns); link != nullptr;
       link = link->Next()) {
    if (!callback(OwnerOf<ci::kNetns>(link)->container)) return;
  }
}

}  // namespace roster

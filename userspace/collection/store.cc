#include "collection/store.h"

#include <utility>

namespace roster::collection_internal {
namespace {

// Whether "not known" is a key. In the reference 0 is a mount and a network namespace like any
// other.
bool IsIndexed(size_t number, uint64_t key) {
  return key != 0 || number == kMntns || number == kNetns;
}
bool IsIndexed(size_t number, std::string_view key) { return !key.empty() || number == kId; }

}  // namespace

template <typename Visit>
void Store::ForEachIndex(Visit visit) {
  visit(by_id, kId);
  visit(by_mntns, kMntns);
  visit(by_netns, kNetns);
  visit(by_cgroup, kCgroup);
  visit(by_pid, kPid);
  visit(by_handle, kHandle);
  visit(by_pod_uid, kPodUid);
  visit(by_namespace, kNamespace);
  visit(by_pod, kPod);
  visit(by_container_name, kContainerName);
  visit(by_runtime_container_name, kRuntimeContainerName);
  visit(by_runtime, kRuntime);
}

Store::~Store() { Clear(); }

Entry* Store::LivingByHandle(uint64_t handle) {
  if (handle == 0) return nullptr;
  for (const Link* link = by_handle.Find(handle); link != nullptr; link = link->Next()) {
    Entry* entry = OwnerOf<kHandle>(link);
    if (!entry->removing.load(std::memory_order_relaxed)) return entry;
  }
  return nullptr;
}

Entry* Store::LivingLike(const Container& container) {
  // Others of the id that lack a handle are perhaps the same, this one certainly is.
  if (Entry* entry = LivingByHandle(container.handle);
      entry != nullptr && IdOf(entry->container) == IdOf(container)) {
    return entry;
  }
  for (const Link* link = by_id.Find(IdOf(container)); link != nullptr; link = link->Next()) {
    Entry* entry = OwnerOf<kId>(link);
    // One that is on its way out does not stand in the way of its successor.
    if (!entry->removing.load(std::memory_order_relaxed) &&
        SameContainer(entry->container, container)) {
      return entry;
    }
  }
  return nullptr;
}

void Store::ChangePod(const Entry* leaving, const Entry* joining) {
  const PodKey pod = PodKeyOf(leaving != nullptr ? *leaving : *joining);
  if (pod.name.empty()) return;
  auto* old = static_cast<PodMembers*>(pods.Find(pod));
  PodMembers* fresh = PodMembers::New(old, leaving, joining);
  if (old == nullptr) {
    pods.Insert(fresh, &retire_);
  } else if (fresh == nullptr) {
    pods.Erase(old);
  } else {
    pods.Replace(old, fresh);
  }
  if (old != nullptr) retire_.Retire(old, &PodMembers::Free);
}

void Store::Insert(Entry* entry) {
  Link* link = &entry->links[kAll];
  if (Link* first = all_.load(std::memory_order_relaxed); first != nullptr) {
    Append(first, link);
  } else {
    link->prev.store(link, std::memory_order_relaxed);
    all_.store(link, std::memory_order_release);
  }
  ForEachIndex([&](auto& index, size_t number) {
    Link* place = &entry->links[number];
    if (IsIndexed(number, index.KeyOf(place))) index.Insert(place, &retire_);
  });
  for (size_t i = 0; i < entry->container.k8s.pod_labels.size(); ++i) {
    by_label.Insert(&entry->labels[i], &retire_);
  }
  ChangePod(nullptr, entry);
  size_.fetch_add(1, std::memory_order_relaxed);
}

void Store::Erase(Entry* entry) {
  Link* link = &entry->links[kAll];
  Link* first = all_.load(std::memory_order_relaxed);
  Link* prev = link->prev.load(std::memory_order_relaxed);
  Link* next = link->next.load(std::memory_order_relaxed);
  if (link == first) {
    if (next != nullptr) next->prev.store(prev, std::memory_order_release);
    all_.store(next, std::memory_order_release);
  } else {
    (next != nullptr ? next : first)->prev.store(prev, std::memory_order_release);
    prev->next.store(next, std::memory_order_release);
  }
  link->prev.store(nullptr, std::memory_order_relaxed);
  ForEachIndex([&](auto& index, size_t number) { index.Erase(&entry->links[number]); });
  for (size_t i = 0; i < entry->container.k8s.pod_labels.size(); ++i) {
    by_label.Erase(&entry->labels[i]);
  }
  ChangePod(entry, nullptr);
  size_.fetch_sub(1, std::memory_order_relaxed);
  retire_.Retire(entry, &Entry::Release);
}

void Store::ReplaceInAll(Entry* old, Entry* fresh) {
  Link* link = &old->links[kAll];
  Link* place = &fresh->links[kAll];
  Link* first = all_.load(std::memory_order_relaxed);
  Link* prev = link->prev.load(std::memory_order_relaxed);
  Link* next = link->next.load(std::memory_order_relaxed);
  place->next.store(next, std::memory_order_relaxed);
  place->prev.store(prev == link ? place : prev, std::memory_order_relaxed);
  if (next != nullptr) {
    next->prev.store(place, std::memory_order_release);
  } else if (link != first) {
    first->prev.store(place, std::memory_order_release);
  }
  if (link == first) {
    all_.store(place, std::memory_order_release);
  } else {
    prev->next.store(place, std::memory_order_release);
  }
}

void Store::ReplaceLabels(Entry* old, Entry* fresh) {
  const auto& before = old->container.k8s.pod_labels;
  const auto& after = fresh->container.k8s.pod_labels;
  size_t i = 0;
  size_t j = 0;
  auto was = before.begin();
  for (auto is = after.begin(); is != after.end(); ++is, ++j) {
    while (was != before.end() && was->first < is->first) {
      by_label.Erase(&old->labels[i++]);
      ++was;
    }
    if (was != before.end() && *was == *is) {
      by_label.Replace(&old->labels[i++], &fresh->labels[j]);
      ++was;
    } else {
      by_label.Insert(&fresh->labels[j], &retire_);
    }
  }
  for (; was != before.end(); ++was) by_label.Erase(&old->labels[i++]);
}

void Store::Replace(Entry* old, Entry* fresh) {
  moves_.fetch_add(1, std::memory_order_acq_rel);
  ReplaceInAll(old, fresh);
  ForEachIndex([&](auto& index, size_t number) {
    Link* was = &old->links[number];
    Link* is = &fresh->links[number];
    if (index.KeyOf(was) == index.KeyOf(is)) {
      if (was->linked()) index.Replace(was, is);
      return;
    }
    if (IsIndexed(number, index.KeyOf(is))) index.Insert(is, &retire_);
    index.Erase(was);
  });
  ReplaceLabels(old, fresh);
  if (PodKeyOf(*old) == PodKeyOf(*fresh)) {
    ChangePod(old, fresh);
  } else {
    ChangePod(nullptr, fresh);
    ChangePod(old, nullptr);
  }
  moves_.fetch_add(1, std::memory_order_release);
  retire_.Retire(old, &Entry::Release);
}

void Store::Remember(ContainerPtr container, absl::Time expires) {
  auto* remembered = new Remembered{{}, std::move(container), expires};
  remembered_by_mntns.Insert(&remembered->links[0], &retire_);
  remembered_by_netns.Insert(&remembered->links[1], &retire_);
  remembered_.push_back(remembered);
  remembered_count_.fetch_add(1, std::memory_order_relaxed);
}

absl::Time Store::ForgetExpired(absl::Time now) {
  while (!remembered_.empty() && remembered_.front()->expires <= now) {
    Remembered* remembered = remembered_.front();
    remembered_.pop_front();
    remembered_by_mntns.Erase(&remembered->links[0]);
    remembered_by_netns.Erase(&remembered->links[1]);
    remembered_count_.fetch_sub(1, std::memory_order_relaxed);
    retire_.Retire(remembered, [](void* r) { delete static_cast<Remembered*>(r); });
  }
  return remembered_.empty() ? absl::InfiniteFuture() : remembered_.front()->expires;
}

void Store::Clear() {
  while (Link* link = all_.load(std::memory_order_relaxed)) Erase(OwnerOf<kAll>(link));
  ForgetExpired(absl::InfiniteFuture());
}

}  // namespace roster::collection_internal

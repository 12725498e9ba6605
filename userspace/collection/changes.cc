// How the set of containers changes, and how that is announced.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "collection/core.h"
#include "kernel/clock.h"

namespace roster::collection_internal {

absl::Status Core::NotOpen(std::string_view what) const {
  return absl::FailedPreconditionError(
      absl::StrCat(std::string(what), ": the collection is not initialised, or closed"));
}

Announced Core::Announce(EventType type, ContainerPtr container, ContainerPtr previous) {
  if (pubsub_ == nullptr) return {};
  return pubsub_->Enqueue({type, std::move(container), std::move(previous), absl::Now()});
}

void Core::TellFollowers(EventType type, const ContainerPtr& container,
                         const ContainerPtr& previous) {
  for (const FuncNotify& follower : followers_) follower({type, container, previous, {}});
}

absl::Status Core::ReserveAdd(const Container& container, PendingAdd* pending) {
  MutexLock lock(&mutex_);
  if (!AcceptsLocked()) return NotOpen("add container");
  const bool being_added =
      std::any_of(pending_.begin(), pending_.end(), [&](const PendingAdd* other) {
        return !other->cancelled && SameContainer(*other->container, container);
      });
  if (being_added || store_.LivingLike(container) != nullptr) {
    duplicates_.fetch_add(1, std::memory_order_relaxed);
    return absl::AlreadyExistsError(
        absl::StrCat("add container ", container.runtime.container_id, ": is already here"));
  }
  if (pending->container != nullptr) pending_.push_back(pending);
  return absl::OkStatus();
}

absl::Status Core::Enrich(Container* container, bool initial) {
  const std::string id = container->runtime.container_id;
  const auto run = [&](const std::vector<NamedEnricher>& enrichers) -> absl::Status {
    for (const NamedEnricher& enricher : enrichers) {
      bool keep = true;
      try {
        keep = enricher.enrich(container);
      } catch (...) {
        // What it knew is missing; the container is not.
        Warn(absl::StrCat("enricher ", enricher.name, ": threw for container ", id));
      }
      // The container is known by its id from here on: no enricher changes it.
      container->runtime.container_id = id;
      if (keep) continue;
      dropped_.fetch_add(1, std::memory_order_relaxed);
      return absl::AbortedError(
          absl::StrCat("add container ", id, ": dropped by enricher ", enricher.name));
    }
    return absl::OkStatus();
  };
  if (initial) {
    absl::Status status = run(initial_enrichers_);
    if (!status.ok()) return status;
  }
  return run(enrichers_);
}

absl::Status Core::Insert(Container&& container, PendingAdd* pending, bool initial) {
  Entry* entry = Entry::New(std::move(container));
  Announced announced;
  {
    MutexLock lock(&mutex_);
    if (pending->container != nullptr) {
      pending_.erase(std::find(pending_.begin(), pending_.end(), pending));
      pending_done_.SignalAll();
    }
    absl::Status status;
    if (!AcceptsLocked()) {
      status = NotOpen("add container");
    } else if (pending->cancelled ||
               (initial && ended_early_.contains(entry->container.runtime.container_id))) {
      status =
          absl::AbortedError(absl::StrCat("add container ", entry->container.runtime.container_id,
                                          ": was removed while it was being added"));
    } else if (store_.LivingLike(entry->container) != nullptr) {
      duplicates_.fetch_add(1, std::memory_order_relaxed);
      status = absl::AlreadyExistsError(absl::StrCat(
          "add container ", entry->container.runtime.container_id, ": is already here"));
    }
    if (!status.ok()) {
      Entry::Release(entry);
      return status;
    }
    store_.Insert(entry);
    added_.fetch_add(1, std::memory_order_relaxed);
    TellFollowers(EventType::kCreated, entry->self);
    announced = Announce(EventType::kCreated, entry->self);
  }
  announced.Await();
  return absl::OkStatus();
}

absl::Status Core::Add(Container&& container, bool initial) {
  absl::Status status = ValidateContainerID(container.runtime.container_id);
  if (!status.ok()) {
    invalid_.fetch_add(1, std::memory_order_relaxed);
    return status;
  }
  PendingAdd pending{nullptr};
  if (enrichers_.empty() && (!initial || initial_enrichers_.empty())) {
    return Insert(std::move(container), &pending, initial);
  }
  const Container as_given = container;
  pending.container = &as_given;
  status = ReserveAdd(as_given, &pending);
  if (!status.ok()) return status;
  status = Enrich(&container, initial);
  if (status.ok()) return Insert(std::move(container), &pending, initial);
  MutexLock lock(&mutex_);
  pending_.erase(std::find(pending_.begin(), pending_.end(), &pending));
  pending_done_.SignalAll();
  return status;
}

void Core::FinishRemoval(Entry* entry) {
  const ContainerPtr container = entry->self;
  if (grace_ > absl::ZeroDuration()) {
    // Before it is erased: readers look among the living first, then here, and must not miss it in
    // between.
    store_.Remember(container, SteadyNow() + grace_);
    if (forgetter_waits_for_any_) forget_.Signal();
  }
  store_.Erase(entry);
  removed_.fetch_add(1, std::memory_order_relaxed);
  TellFollowers(EventType::kDeleted, container);
}

absl::Status Core::Remove(const std::function<Entry*(Store&)>& find,
                          const std::function<bool(const Container&)>& is_pending,
                          std::string_view what) {
  Announced announced;
  ContainerPtr container;  // keeps the entry, whatever Close does meanwhile
  Entry* entry = nullptr;
  {
    MutexLock lock(&mutex_);
    if (!AcceptsLocked()) return NotOpen("remove container");
    entry = find(store_);
    if (entry == nullptr) {
      for (PendingAdd* pending : pending_) {
        if (pending->cancelled || !is_pending(*pending->container)) continue;
        // As below: cancelling it keeps out this add, not one by an initial list.
        if (state_ == State::kInitializing) {
          ended_early_.emplace(pending->container->runtime.container_id);
        }
        pending->cancelled = true;
        return absl::OkStatus();
      }
      // An initial list taken before it ended may still bring it.
      if (state_ == State::kInitializing) ended_early_.emplace(what);
      return absl::NotFoundError(
          absl::StrCat("remove container ", std::string(what), ": is not here"));
    }
    container = entry->self;
    // An initial list that was taken before still has it.
    if (state_ == State::kInitializing) {
      ended_early_.emplace(container->runtime.container_id);
    }
    entry->removing.store(true, std::memory_order_relaxed);
    announced = Announce(EventType::kDeleted, container);
    if (!announced) {
      FinishRemoval(entry);
      return absl::OkStatus();
    }
  }
  announced.Await();
  MutexLock lock(&mutex_);
  // Close has taken it out already.
  if (!entry->links[kAll].linked() || state_ == State::kClosed) return absl::OkStatus();
  FinishRemoval(entry);
  return absl::OkStatus();
}

absl::Status Core::Update(const std::function<Entry*(Store&)>& find,
                          const std::function<bool(Container*)>& change, std::string_view what) {
  Announced announced;
  {
    MutexLock lock(&mutex_);
    if (!AcceptsLocked()) return NotOpen("update container");
    Entry* entry = find(store_);
    if (entry == nullptr) {
      return absl::NotFoundError(
          absl::StrCat("update container ", std::string(what), ": is not here"));
    }
    Container changed = entry->container;
    if (!change(&changed)) return absl::OkStatus();
    changed.runtime.container_id = entry->container.runtime.container_id;
    if (entry->container.handle != 0) changed.handle = entry->container.handle;
    if (changed == entry->container) return absl::OkStatus();
    Entry* fresh = Entry::New(std::move(changed));
    const ContainerPtr previous = entry->self;
    store_.Replace(entry, fresh);
    updated_.fetch_add(1, std::memory_order_relaxed);
    TellFollowers(EventType::kUpdated, fresh->self, previous);
    announced = Announce(EventType::kUpdated, fresh->self, previous);
  }
  announced.Await();
  return absl::OkStatus();
}

void Core::SetOwner(const ContainerPtr& container, OwnerReference owner) {
  auto shared = std::make_shared<const OwnerReference>(std::move(owner));
  // Gone meanwhile: then nobody needs it.
  Update([&](Store& store) { return store.LivingLike(*container); },
         [&](Container* c) {
           c->k8s.owner = shared;
           return true;
         },
         IdOf(*container))
      .IgnoreError();
}

absl::Status Core::PublishPreCreate(Container container) {
  absl::Status status = ValidateContainerID(container.runtime.container_id);
  if (!status.ok()) return status;
  Announced announced;
  {
    MutexLock lock(&mutex_);
    if (!AcceptsLocked()) return NotOpen("publish container");
    announced =
        Announce(EventType::kPreCreate, std::make_shared<const Container>(std::move(container)));
  }
  announced.Await();
  return absl::OkStatus();
}

ContainerCollection::Stats Core::GetStats() const {
  ContainerCollection::Stats stats;
  stats.added = added_.load(std::memory_order_relaxed);
  stats.removed = removed_.load(std::memory_order_relaxed);
  stats.updated = updated_.load(std::memory_order_relaxed);
  stats.dropped_by_enricher = dropped_.load(std::memory_order_relaxed);
  stats.duplicates = duplicates_.load(std::memory_order_relaxed);
  stats.invalid = invalid_.load(std::memory_order_relaxed);
  stats.warnings = warnings_.load(std::memory_order_relaxed);
  stats.remembered = store_.remembered();
  return stats;
}

}  // namespace roster::collection_internal

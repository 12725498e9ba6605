// Who is told of changes from now on, and what was there before.
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "collection/core.h"
#include "kernel/errors.h"

namespace roster::collection_internal {

absl::StatusOr<PubSubDispatcher*> Core::Publisher(std::string_view what, std::string_view key) {
  if (!AcceptsLocked()) return NotOpen(what);
  if (pubsub_ != nullptr) return pubsub_.get();
  return absl::FailedPreconditionError(absl::StrCat(
      std::string(what), " ", std::string(key), ": the collection has no publisher (WithPubSub)"));
}

absl::StatusOr<std::vector<ContainerPtr>> Core::Subscribe(std::string_view key,
                                                          const ContainerSelector& selector,
                                                          FuncNotify callback,
                                                          SubscriptionOptions options) {
  absl::StatusOr<CompiledSelector> compiled = CompiledSelector::Compile(selector);
  if (!compiled.ok()) return compiled.status();
  if (callback == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("subscribe ", std::string(key), ": there is no callback"));
  }
  options.filter = [selector = *compiled, also = std::move(options.filter)](
                       const PubSubEvent& event) -> std::optional<EventType> {
    if (also && !also(event).has_value()) return std::nullopt;
    if (event.type == EventType::kPreCreate) return event.type;
    const bool is = selector.Matches(*event.container);
    if (event.type != EventType::kUpdated) return is ? std::optional(event.type) : std::nullopt;
    const bool was = selector.Matches(*event.previous);
    if (was && is) return EventType::kUpdated;
    if (is) return EventType::kCreated;
    if (was) return EventType::kDeleted;
    return std::nullopt;
  };
  std::vector<ContainerPtr> containers;
  PubSubDispatcher::Ended replaced;
  PubSubDispatcher* pubsub = nullptr;
  {
    MutexLock lock(&mutex_);
    ROSTER_ASSIGN_OR_RETURN(pubsub, Publisher("subscribe", key));
    for (const Link* link = store_.FirstOfAll(); link != nullptr; link = link->Next()) {
      const Entry* entry = OwnerOf<kAll>(link);
      // DELETED of one that is being removed has gone out already.
      if (entry->removing.load(std::memory_order_relaxed)) continue;
      if (compiled->Matches(entry->container)) containers.push_back(entry->self);
    }
    replaced = pubsub->Replace(key, std::move(callback), nullptr, std::move(options));
  }
  // Without the mutex: the replaced callback may be waiting for it.
  pubsub->WaitUntilIdle(std::move(replaced));
  return containers;
}

absl::Status Core::Unsubscribe(std::string_view key) {
  PubSubDispatcher* pubsub = nullptr;
  {
    MutexLock lock(&mutex_);
    ROSTER_ASSIGN_OR_RETURN(pubsub, Publisher("unsubscribe", key));
  }
  pubsub->Unsubscribe(key);
  return absl::OkStatus();
}

}  // namespace roster::collection_internal

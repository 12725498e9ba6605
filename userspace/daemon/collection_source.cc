#include "daemon/collection_source.h"

#include <utility>

namespace roster {

CollectionSource::CollectionSource(ContainerCollection* collection,
                                   std::optional<PinFactsReader> facts)
    : collection_(*collection), facts_(std::move(facts)) {}

absl::StatusOr<std::vector<ContainerPtr>> CollectionSource::List(
    const ContainerSelector& selector) {
  return collection_.GetContainersBySelector(selector);
}

absl::StatusOr<ContainerPtr> CollectionSource::GetByIdPrefix(std::string_view prefix) {
  return collection_.GetContainerByIdPrefix(prefix);
}

absl::StatusOr<std::vector<ContainerPtr>> CollectionSource::Subscribe(
    std::string_view key, const ContainerSelector& selector, FuncNotify callback) {
  return collection_.Subscribe(key, selector, std::move(callback));
}

void CollectionSource::Unsubscribe(std::string_view key) {
  // It fails only on a closed collection, which has no subscribers.
  (void)collection_.Unsubscribe(key);
}

size_t CollectionSource::Count() { return collection_.ContainerLen(); }

std::optional<PinFacts> CollectionSource::Facts(uint64_t handle) {
  return facts_ ? facts_->Find(handle) : std::nullopt;
}

}  // namespace roster

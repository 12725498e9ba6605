#include "daemon/collection_source.h"

#include <utility>

namespace roster {

CollectionSource::CollectionSource(ContainerCollection* collection, std::optional<Reader> reader)
    : collection_(*collection), reader_(std::move(reader)) {}

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
  absl::MutexLock lock(&mutex_);
  if (handle == 0 || !reader_.has_value()) return std::nullopt;
  const auto member = reader_->Find(handle);
  if (!member.ok() || !member->has_value()) return std::nullopt;
  return PinFacts{.state = (*member)->membership.state,
                  .flags = (*member)->membership.flags,
                  .created_at_ns = (*member)->record.created_at_ns,
                  .started_at_ns = (*member)->record.started_at_ns};
}

}  // namespace roster

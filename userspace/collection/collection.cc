#include "roster/collection.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "collection/core.h"

namespace roster {

using collection_internal::Core;
using collection_internal::Entry;
using collection_internal::Link;
using collection_internal::OwnerOf;
using collection_internal::Store;

namespace {

Entry* OldestLiving(Store& store, std::string_view id) {
  for (Link* link = store.by_id.Find(id); link != nullptr; link = link->Next()) {
    Entry* entry = OwnerOf<collection_internal::kId>(link);
    if (!entry->removing.load(std::memory_order_relaxed)) return entry;
  }
  return nullptr;
}

std::string HandleText(uint64_t handle) { return absl::StrCat("with handle ", handle); }

}  // namespace

ContainerCollection::ContainerCollection() : core_(std::make_unique<Core>(*this)) {}
ContainerCollection::~ContainerCollection() { Close(); }

absl::Status ContainerCollection::Initialize(const std::vector<Option>& options) {
  return core_->Initialize(options);
}

void ContainerCollection::Close() { core_->Close(); }

absl::Status ContainerCollection::AddContainer(Container container) {
  return core_->Add(std::move(container), /*initial=*/false);
}

absl::Status ContainerCollection::RemoveContainer(std::string_view id) {
  return core_->Remove([id](Store& store) { return OldestLiving(store, id); },
                       [id](const Container& c) { return c.runtime.container_id == id; }, id);
}

absl::Status ContainerCollection::RemoveContainer(const Container& like) {
  return core_->Remove([&like](Store& store) { return store.LivingLike(like); },
                       [&like](const Container& c) { return SameContainer(c, like); },
                       like.runtime.container_id);
}

absl::Status ContainerCollection::RemoveContainerByHandle(uint64_t handle) {
  return core_->Remove([handle](Store& store) { return store.LivingByHandle(handle); },
                       [handle](const Container& c) { return handle != 0 && c.handle == handle; },
                       HandleText(handle));
}

absl::Status ContainerCollection::UpdateContainer(Container container) {
  const auto find = [&container](Store& store) -> Entry* {
    if (Entry* entry = store.LivingByHandle(container.handle)) {
      return entry->container.runtime.container_id == container.runtime.container_id ? entry
                                                                                     : nullptr;
    }
    return store.LivingLike(container);
  };
  return core_->Update(
      find,
      [&container](Container* c) {
        *c = container;
        return true;
      },
      container.runtime.container_id);
}

absl::Status ContainerCollection::UpdateContainer(std::string_view id,
                                                  const std::function<bool(Container*)>& change) {
  return core_->Update([id](Store& store) { return OldestLiving(store, id); }, change, id);
}

absl::Status ContainerCollection::UpdateContainer(const Container& like,
                                                  const std::function<bool(Container*)>& change) {
  return core_->Update([&like](Store& store) { return store.LivingLike(like); }, change,
                       like.runtime.container_id);
}

absl::Status ContainerCollection::UpdateContainerByHandle(
    uint64_t handle, const std::function<bool(Container*)>& change) {
  return core_->Update([handle](Store& store) { return store.LivingByHandle(handle); }, change,
                       HandleText(handle));
}

absl::Status ContainerCollection::PublishPreCreate(Container container) {
  return core_->PublishPreCreate(std::move(container));
}

absl::StatusOr<std::vector<ContainerPtr>> ContainerCollection::Subscribe(
    std::string_view key, const ContainerSelector& selector, FuncNotify callback) {
  return core_->Subscribe(key, selector, std::move(callback), {});
}

absl::StatusOr<std::vector<ContainerPtr>> ContainerCollection::Subscribe(
    std::string_view key, const ContainerSelector& selector, FuncNotify callback,
    SubscriptionOptions options) {
  return core_->Subscribe(key, selector, std::move(callback), std::move(options));
}

absl::Status ContainerCollection::Unsubscribe(std::string_view key) {
  return core_->Unsubscribe(key);
}

GadgetPubSub* ContainerCollection::pubsub() const { return core_->pubsub(); }
const std::string& ContainerCollection::node_name() const { return core_->node_name(); }
ContainerCollection::Stats ContainerCollection::GetStats() const { return core_->GetStats(); }

}  // namespace roster

#include "collection/entry.h"

namespace roster::collection_internal {

Entry::Entry(Container&& c)
    : container(std::move(c)),
      namespace_hash(ShortHash(container.k8s.namespace_name)),
      container_name_hash(ShortHash(container.k8s.container_name)) {}

Entry* Entry::New(Container&& container) {
  auto owner = std::make_shared<Entry>(std::move(container));
  Entry* entry = owner.get();
  const auto& labels = entry->container.k8s.pod_labels;
  if (!labels.empty()) {
    entry->labels = std::make_unique<LabelLink[]>(labels.size());
    LabelLink* link = entry->labels.get();
    for (const auto& label : labels) {
      link->owner = entry;
      link->label = &label;
      ++link;
    }
  }
  entry->self = ContainerPtr(std::move(owner), &entry->container);
  return entry;
}

void Entry::Release(void* entry) {
  // The last holder may be this very pointer: it must not die while it is being assigned to.
  const ContainerPtr self = std::move(static_cast<Entry*>(entry)->self);
}

}  // namespace roster::collection_internal

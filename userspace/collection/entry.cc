#include "collection/entry.h"

namespace roster::collection_internal {
namespace {

// What a text was built with beyond its size would be held for the container's whole life.
void Trim(std::string* text) {
  constexpr size_t kWorthACopy = 16;
  if (text->capacity() - text->size() > kWorthACopy) text->shrink_to_fit();
}

}  // namespace

Entry::Entry(Container&& c) : container(std::move(c)) {}

Entry* Entry::New(Container&& container) {
  for (std::string* text : {&container.runtime.runtime_name, &container.runtime.container_id,
                            &container.runtime.container_name, &container.k8s.namespace_name,
                            &container.k8s.pod_name, &container.k8s.container_name}) {
    Trim(text);
  }
  container.k8s.pod_labels.shrink_to_fit();
  auto owner = std::make_shared<Entry>(std::move(container));
  Entry* entry = owner.get();
  const auto& labels = entry->container.k8s.pod_labels;
  if (!labels.empty()) {
    entry->labels = std::make_unique<LabelLink[]>(labels.size());
    LabelLink* link = entry->labels.get();
    for (size_t i = 0; i < labels.size(); ++i) link[i].owner = entry;
  }
  entry->self = ContainerPtr(std::move(owner), &entry->container);
  return entry;
}

void Entry::Release(void* entry) {
  // The last holder may be this very pointer: it must not die while it is being assigned to.
  const ContainerPtr self = std::move(static_cast<Entry*>(entry)->self);
}

}  // namespace roster::collection_internal

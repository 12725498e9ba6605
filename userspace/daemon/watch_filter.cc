#include "daemon/watch_filter.h"

#include <string>

namespace roster {

WatchFilter::WatchFilter(std::string_view filter) {
  ContainerSelector k8s_name;
  k8s_name.k8s.container_name = std::string(filter);
  ContainerSelector runtime_name;
  runtime_name.runtime.container_name = std::string(filter);
  // Only `where` can fail to compile.
  k8s_name_ = CompiledSelector::Compile(k8s_name).value();
  runtime_name_ = CompiledSelector::Compile(runtime_name).value();
}

bool WatchFilter::Matches(const Container& container) const {
  return container.k8s.container_name.empty() ? runtime_name_.Matches(container)
                                              : k8s_name_.Matches(container);
}

std::optional<EventType> WatchFilter::Translate(const PubSubEvent& event) const {
  const bool matches = Matches(*event.container);
  switch (event.type) {
    case EventType::kPreCreate:
      return event.type;  // names are not known yet
    case EventType::kCreated:
    case EventType::kDeleted:
      return matches ? std::optional(event.type) : std::nullopt;
    case EventType::kUpdated: {
      const bool matched = event.previous == nullptr ? matches : Matches(*event.previous);
      if (matches) return matched ? EventType::kUpdated : EventType::kCreated;
      return matched ? std::optional(EventType::kDeleted) : std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace roster

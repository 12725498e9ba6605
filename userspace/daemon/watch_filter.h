// WatchFilter is the part of roster.v1's Selector that a ContainerSelector cannot say: one filter
// over the name of the container, whoever gave it.
#ifndef ROSTER_USERSPACE_DAEMON_WATCH_FILTER_H_
#define ROSTER_USERSPACE_DAEMON_WATCH_FILTER_H_

#include <optional>
#include <string_view>

#include "roster/container.h"
#include "roster/pubsub.h"
#include "roster/selector.h"

namespace roster {

// Immutable, thread-safe.
class WatchFilter {
 public:
  // `filter` as in ContainerSelector: "a,b,!c"; empty matches everything.
  explicit WatchFilter(std::string_view filter);

  // By the name that Kubernetes gives the container, outside Kubernetes by the engine's.
  bool Matches(const Container& container) const;

  // What the event is to this filter: an update may bring a container in (CREATED) or take it out
  // (DELETED). nullopt: nothing.
  std::optional<EventType> Translate(const PubSubEvent& event) const;

 private:
  CompiledSelector k8s_name_;
  CompiledSelector runtime_name_;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_DAEMON_WATCH_FILTER_H_

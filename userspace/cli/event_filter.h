// EventFilter makes of a watch's events what somebody sees who sees only some containers.
#ifndef ROSTER_USERSPACE_CLI_EVENT_FILTER_H_
#define ROSTER_USERSPACE_CLI_EVENT_FILTER_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/columns.h"
#include "cli/entry.h"

namespace roster::cli {

// Not thread-safe. `filters` must outlive it.
class EventFilter {
 public:
  explicit EventFilter(const std::vector<EntryFilter>& filters) : filters_(filters) {}

  // Under which name the event is shown; nullopt: not at all. A container that comes to pass the
  // filters is CREATED, one that no longer does is DELETED, and so is one that was shown and ends.
  std::optional<std::string_view> SeenAs(std::string_view event, const Entry& entry) {
    const std::pair key(entry.container.runtime.container_id, entry.container.handle);
    const bool passes = PassesAll(entry, filters_);
    if (event == "DELETED") {
      if (shown_.erase(key) == 0 && !passes) return std::nullopt;
      return event;
    }
    if (!passes) {
      if (shown_.erase(key) == 0) return std::nullopt;
      return "DELETED";
    }
    const bool is_new = shown_.insert(key).second;
    return event == "UPDATED" && is_new ? "CREATED" : event;
  }

 private:
  const std::vector<EntryFilter>& filters_;
  std::set<std::pair<std::string, uint64_t>> shown_;
};

}  // namespace roster::cli

#endif  // ROSTER_USERSPACE_CLI_EVENT_FILTER_H_

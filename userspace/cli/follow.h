// Follow turns Watch calls into one unbroken sequence of events, across restarts of the daemon.
#ifndef ROSTER_USERSPACE_CLI_FOLLOW_H_
#define ROSTER_USERSPACE_CLI_FOLLOW_H_

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cli/entries.h"
#include "cli/entry.h"
#include "roster.pb.h"

namespace roster::cli {

// An event's name is CREATED, DELETED, UPDATED, PRECREATE or EXISTING.
using EventCallback =
    std::function<bool(std::string_view name, absl::Time time, const Entry& entry)>;

// What a watcher knows of the containers; tells after a gap what has come and gone meanwhile.
class Follower {
 public:
  explicit Follower(EventCallback callback) : callback_(std::move(callback)) {}

  // The watch is on again and `present` is there now: reports those that have ended in the gap. To
  // be called before the new watch's events.
  bool Resume(const std::vector<Entry>& present, absl::Time now);
  bool OnEvent(const v1::Event& event);

 private:
  static std::string KeyOf(const Entry& entry);

  EventCallback callback_;
  bool resumed_ = false;
  std::map<std::string, Entry> known_;
  std::set<std::string> gone_;  // reported by Resume; the new watch may still tell of them
};

struct FollowOptions {
  v1::Selector selector;
  bool include_precreate = false;
  bool include_oci_config = false;
  // Wait for the daemon to come back where it goes away, saying so on standard error.
  bool reconnect = true;
};

// Begins with an EXISTING event for each container there is. Returns when `callback` does not want
// more (OK), when the daemon cannot be reached at first, or with its error.
absl::Status Follow(const Paths& paths, const FollowOptions& options,
                    const EventCallback& callback);

}  // namespace roster::cli

#endif  // ROSTER_USERSPACE_CLI_FOLLOW_H_

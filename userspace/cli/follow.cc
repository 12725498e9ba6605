#include "cli/follow.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/daemon_client.h"
#include "cli/output.h"

namespace roster::cli {

std::string Follower::KeyOf(const Entry& entry) {
  return entry.container.handle != 0 ? absl::StrCat("#", entry.container.handle)
                                     : entry.container.runtime.container_id;
}

bool Follower::Resume(const std::vector<Entry>& present, absl::Time now) {
  resumed_ = true;
  gone_.clear();
  std::set<std::string> keys;
  for (const Entry& entry : present) keys.insert(KeyOf(entry));
  bool go_on = true;
  for (auto it = known_.begin(); it != known_.end();) {
    if (keys.contains(it->first)) {
      ++it;
      continue;
    }
    it->second.state = "ended";
    go_on = go_on && callback_("DELETED", now, it->second);
    gone_.insert(it->first);
    it = known_.erase(it);
  }
  return go_on;
}

bool Follower::OnEvent(const v1::Event& event) {
  Entry entry = EntryFromProto(event.container());
  // The pins may say nothing of it any more, or not yet.
  if (event.type() == v1::Event::DELETED) entry.state = "ended";
  if (event.type() == v1::Event::PRECREATE) entry.state = "pending";
  const absl::Time time = absl::FromUnixNanos(event.timestamp_ns());
  const std::string key = KeyOf(entry);
  switch (event.type()) {
    case v1::Event::EXISTING:
      if (gone_.contains(key)) return true;
      if (!known_.insert_or_assign(key, entry).second) return true;
      return callback_(resumed_ ? "CREATED" : "EXISTING", time, entry);
    case v1::Event::CREATED:
      gone_.erase(key);
      if (!known_.insert_or_assign(key, entry).second) return true;
      return callback_("CREATED", time, entry);
    case v1::Event::UPDATED:
      known_.insert_or_assign(key, entry);
      return callback_("UPDATED", time, entry);
    case v1::Event::DELETED:
      known_.erase(key);
      if (gone_.erase(key) > 0) return true;
      return callback_("DELETED", time, entry);
    case v1::Event::PRECREATE:
      return callback_("PRECREATE", time, entry);
    default:
      return true;  // of a later daemon
  }
}

absl::Status Follow(const Paths& paths, const FollowOptions& options,
                    const EventCallback& callback) {
  v1::WatchRequest request;
  *request.mutable_selector() = options.selector;
  request.set_include_existing(true);
  request.set_include_precreate(options.include_precreate);
  request.set_include_oci_config(options.include_oci_config);
  Follower follower(callback);
  bool away = false;  // and said to be so
  for (bool first = true;; first = false) {
    absl::StatusOr<DaemonClient> client = DaemonClient::Connect(paths.socket);
    absl::Status ended = client.status();
    bool stopped = false;
    if (client.ok()) {
      const auto on_subscribed = [&] {
        if (first) return true;
        // The watch is on: what is not listed now and was known has ended, and nothing else can be
        // missed.
        const auto present = client->List(options.selector, options.include_oci_config);
        if (!present.ok()) return true;  // the stream ends as well
        if (away) PrintNotice("the daemon is back");
        away = false;
        stopped = !follower.Resume(*present, absl::Now());
        return !stopped;
      };
      ended = client->Watch(request, on_subscribed, [&](const v1::Event& event) {
        stopped = !follower.OnEvent(event);
        return !stopped;
      });
      if (stopped) return absl::OkStatus();
    }
    // Too slow: a new watch tells what was missed. Anything else that is not a restart is final.
    const bool again = absl::IsUnavailable(ended) || absl::IsResourceExhausted(ended);
    if (!again || !options.reconnect || (first && !client.ok())) return ended;
    if (absl::IsUnavailable(ended)) {
      // One that comes up may hang up once or twice before it serves.
      if (!away) {
        PrintNotice(
            absl::StrCat("socket ", paths.socket, ": the daemon went away; waiting for it"));
      }
      away = true;
      WaitForDaemon(paths.socket);
    } else {
      PrintNotice(absl::StrCat(ended.message()));
    }
  }
}

}  // namespace roster::cli

// DaemonClient is a connection to the daemon.
#ifndef ROSTER_USERSPACE_CLI_DAEMON_CLIENT_H_
#define ROSTER_USERSPACE_CLI_DAEMON_CLIENT_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/entry.h"
#include "roster.grpc.pb.h"

namespace roster::cli {

// Not thread-safe. Errors name the socket or are the daemon's own.
class DaemonClient {
 public:
  // UNAVAILABLE where no daemon listens, PERMISSION_DENIED where the socket may not be used,
  // FAILED_PRECONDITION where neither root nor the caller's own user listens: who else may pose as
  // the daemon.
  static absl::StatusOr<DaemonClient> Connect(const std::string& socket);

  // DEADLINE_EXCEEDED or UNAVAILABLE where the daemon is stuck or goes away meanwhile.
  absl::StatusOr<std::vector<Entry>> List(const v1::Selector& selector, bool include_oci_config);
  absl::StatusOr<Entry> Get(std::string_view id_prefix);
  absl::StatusOr<v1::HealthResponse> Health();

  // Calls `on_subscribed` once no event can be missed any more, then `on_event` for each; false
  // from either ends the watch, with OK. Else returns how it ended.
  absl::Status Watch(const v1::WatchRequest& request, const std::function<bool()>& on_subscribed,
                     const std::function<bool(const v1::Event&)>& on_event);

 private:
  explicit DaemonClient(std::unique_ptr<v1::Roster::Stub> stub) : stub_(std::move(stub)) {}

  std::unique_ptr<v1::Roster::Stub> stub_;
};

// Waits until the daemon can be connected to again, for example after its restart.
void WaitForDaemon(const std::string& socket);

}  // namespace roster::cli

#endif  // ROSTER_USERSPACE_CLI_DAEMON_CLIENT_H_

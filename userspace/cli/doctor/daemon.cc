// Does the daemon run, and is it content.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "cli/age.h"
#include "cli/daemon_client.h"
#include "cli/doctor/check.h"

namespace roster::cli {

Check CheckDaemon(const Paths& paths) {
  Check check{.name = "daemon"};
  absl::StatusOr<DaemonClient> client = DaemonClient::Connect(paths.socket);
  if (!client.ok()) {
    check.verdict = Verdict::kFailure;
    check.detail = std::string(client.status().message());
    check.advice =
        "start it: systemctl start roster, or roster daemon; what is pinned goes on working "
        "without it";
    return check;
  }
  const auto health = client->Health();
  if (!health.ok()) {
    check.verdict = Verdict::kFailure;
    check.detail = absl::StrCat("socket ", paths.socket,
                                ": the daemon does not answer: ", health.status().message());
    check.advice = "restart it: systemctl restart roster";
    return check;
  }
  const absl::Duration age = absl::Now() - absl::FromUnixNanos(health->started_at());
  check.detail =
      absl::StrCat("version ", health->version(), ", pid ", health->pid(), ", up ", HumanAge(age),
                   ", ", health->containers(), " containers, ", health->watchers(), " watchers");
  if (health->watchers_too_slow() > 0) {
    absl::StrAppend(&check.detail, ", ", health->watchers_too_slow(), " watches ended as too slow");
  }
  if (!health->problems().empty()) {
    check.verdict = Verdict::kWarning;
    absl::StrAppend(&check.detail, "; ", absl::StrJoin(health->problems(), "; "));
  }
  return check;
}

}  // namespace roster::cli

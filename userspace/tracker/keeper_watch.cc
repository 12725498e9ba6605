#include "tracker/keeper_watch.h"

#include "log/log.h"

namespace roster {

void KeeperWatch::Note(const KeeperStats& now) {
  if (now.read_errors > last_.read_errors) {
    LogSparsely("keeper-read-errors", LogLevel::kError,
                "the kernel has refused execs that fanotify could not tell of",
                {{"times", now.read_errors}});
    if (!told_errors_) on_problem_("the kernel has refused execs of runtimes: see the log");
    told_errors_ = true;
  }
  if (now.table_full > last_.table_full) {
    LogSparsely("keeper-table-full", LogLevel::kWarning,
                "more was held at once than there is room for: runtimes went on unheld, their "
                "containers are named late",
                {{"times", now.table_full}});
    if (!told_full_) on_problem_("runtimes went on unheld, too many came at once: see the log");
    told_full_ = true;
  }
  if (now.keeper_restarts > last_.keeper_restarts) {
    LogSparsely("keeper-restarts", LogLevel::kWarning, "the keeper was dead or stopped: replaced",
                {{"times", now.keeper_restarts}});
  }
  if (now.fds_leaked > last_.fds_leaked) {
    LogSparsely("keeper-fds", LogLevel::kWarning, "a keeper that died has left descriptors open",
                {{"descriptors", now.fds_leaked}});
  }
  if (now.daemon_reads != last_.daemon_reads) {
    LogSparsely(now.daemon_reads ? "keeper-away" : "keeper-back", LogLevel::kWarning,
                now.daemon_reads ? "no keeper can be started: the daemon reads fanotify itself"
                                 : "a keeper is at work again");
  } else if (now.daemon_reads && !told_stand_in_) {
    // Twice in a row: it has not passed at once.
    on_problem_("no keeper could be started: a stuck daemon would hold runtimes; see the log");
    told_stand_in_ = true;
  }
  last_ = now;
}

}  // namespace roster

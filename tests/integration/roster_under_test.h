// RosterUnderTest is a daemon with pins, socket and state of its own, started and judged from
// outside.
//
// It is driven only as a user would: command line, signals, exit codes, JSON. The pins are read by
// bpf(2), without Roster's own library.
#ifndef ROSTER_TESTS_INTEGRATION_ROSTER_UNDER_TEST_H_
#define ROSTER_TESTS_INTEGRATION_ROSTER_UNDER_TEST_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engines/command.h"
#include "engines/workspace.h"
#include "integration/untold_frees.h"
#include "kernel/fd.h"
#include "nlohmann/json.hpp"
#include "roster_abi.h"

namespace roster::testing {

// What the pins hold at one moment.
struct PinState {
  std::map<uint64_t, uint64_t> mntns, netns, cgroups;  // key -> handle
  std::map<uint64_t, std::string> slots;               // handle -> description, of those not free
  std::map<uint64_t, std::string> records;  // handle -> id; tombstones are not among them
  std::map<uint64_t, std::string> overdue;  // tombstones that the daemon should have removed
  // Internal, where the pins exist. Tasks that carry something, nobody else's container's:
  size_t lineage = 0;                        // that live
  size_t exited_lineage = 0;                 // that have exited and are not freed
  size_t void_lineage = 0;                   // entries of freed tasks, not deleted
  uint64_t untold_frees = 0;                 // tasks of whose freeing no program was told
  size_t armed = 0;                          // held execs not yet taken
  uint32_t hot_armed = 0, hot_carriers = 0;  // the counts that let an ordinary exec leave at once

  // What is in this state and not in `before`, as readable lines.
  std::vector<std::string> MoreThan(const PinState& before) const;
};

// A `roster watch -o json`: each line with the time at which it arrived.
class Watch {
 public:
  struct Event {
    absl::Time arrived;
    nlohmann::json json;  // {"event": "CREATED", "container": {...}}
  };
  // The first event not yet returned that has `type` and is of the container `id`. Others are
  // dropped.
  absl::StatusOr<Event> Await(const std::string& type, const std::string& id, absl::Time deadline);
  // Readable when there may be an event.
  int fd() const { return pipe_.get(); }

 private:
  friend class RosterUnderTest;
  bool TakeLine(std::string* line);

  Process process_;
  Fd pipe_;
  std::string buffer_;
};

class RosterUnderTest {
 public:
  // Pins live in a directory of the bpffs that no other test has. Nothing is started.
  explicit RosterUnderTest(const Workspace& workspace);
  // Ends the daemon and removes the pins.
  ~RosterUnderTest();
  RosterUnderTest(const RosterUnderTest&) = delete;
  RosterUnderTest& operator=(const RosterUnderTest&) = delete;

  // Starts the daemon and waits for its READY=1. `options` are further words of the command line.
  // The error has the log's last lines.
  absl::Status Start(const std::vector<std::string>& options = {});
  absl::Status
  Terminate();              // SIGTERM, waited for; an error where it exits with another code than 0
  absl::Status Kill();      // SIGKILL, waited for
  absl::Status Pause();     // SIGSTOP, waited for until it is stopped
  absl::Status Continue();  // SIGCONT
  absl::Status Uninstall();  // `roster uninstall`
  bool running() const { return daemon_.running(); }
  pid_t pid() const { return daemon_.pid(); }

  // Any other subcommand, told of socket and pins.
  absl::StatusOr<CommandResult> Call(const std::vector<std::string>& arguments) const;
  // `roster list -o json` by container id; of the workspace's containers only, told by their
  // cgroup. An error where the output is no array of containers.
  absl::StatusOr<std::map<std::string, nlohmann::json>> List() const;
  // Lists until `condition` holds, woken by the change counter's only user-visible sign: the list
  // itself, every 10 ms. For what has no event of its own.
  absl::Status AwaitList(
      const std::string& what, absl::Time deadline,
      const std::function<bool(const std::map<std::string, nlohmann::json>&)>& condition) const;
  // Begins to watch, and returns once it has been told of the container `anchor`, which must exist:
  // from then on no event is missed.
  absl::StatusOr<std::unique_ptr<Watch>> StartWatch(const std::string& anchor) const;

  // Without the slots, and what leads to them, of containers that live in the cgroup of another
  // workspace.
  absl::StatusOr<PinState> ReadPins() const;
  // Waits until the pins hold nothing that `before` does not; the leftovers in the error.
  absl::Status AwaitNothingMoreThan(const PinState& before, absl::Time deadline) const;
  // A counter of roster_stats, summed.
  absl::StatusOr<uint64_t> Stat(uint32_t number) const;
  // The record of a handle; NOT_FOUND where there is none.
  absl::StatusOr<roster_record> Record(uint64_t handle) const;

  // The counters that are not 0, the lineage's entries by state, and for each program how many runs
  // the kernel skipped: for the reader of a failure.
  std::string DescribeKernelSide() const;

  // Of the daemon: its open descriptors (readable), and its fanotify marks.
  std::vector<std::string> OpenFiles() const;
  size_t MarkCount() const;

  std::string Log() const;
  const std::string& pin_directory() const { return pin_directory_; }
  const std::string& socket() const { return socket_; }

  // The path of the program; from the environment's ROSTER_PROGRAM, else of this build.
  static std::string Program();

 private:
  const Workspace& workspace_;
  const std::string pin_directory_;
  const std::string state_directory_;
  const std::string socket_;
  const std::string log_path_;
  Process daemon_;
  // Where they cannot be counted none is allowed for.
  absl::StatusOr<std::unique_ptr<UntoldFrees>> untold_frees_;
};

// One field of a container's JSON: Field(json, "runtime", "containerId"). "" where it is absent or
// no text.
std::string TextField(const nlohmann::json& container, const std::string& group,
                      const std::string& name);
// A number; 0 where it is absent.
uint64_t NumberField(const nlohmann::json& container, const std::string& name);

}  // namespace roster::testing

#endif  // ROSTER_TESTS_INTEGRATION_ROSTER_UNDER_TEST_H_

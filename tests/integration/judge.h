// Judge starts containers, asks an observer what it found at each one's first system call, and
// counts.
#ifndef ROSTER_TESTS_INTEGRATION_JUDGE_H_
#define ROSTER_TESTS_INTEGRATION_JUDGE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engines/engine.h"
#include "integration/observer.h"

namespace roster::testing {

// How many containers a test starts: ROSTER_TEST_STARTS, else 20. The full proof, as
// docs/testing.md has it, is 200.
int StartCount();

// How containers are started.
enum class StartMode { kRun, kCreateAndStart };

struct StartedContainer {
  std::string name;
  std::string id;
  // The record's name: the engine's, where it has names beside ids, else the id. "": not judged.
  std::string shown_name;
  int marker = 0;
  uint64_t began_ns = 0;  // CLOCK_MONOTONIC
  absl::Duration took;    // of the engine's command that starts it
  FirstCall call;
};

// One way of looking up, over many containers.
struct Tally {
  int right = 0;  // the record has the container's id and name
  int unnamed =
      0;  // a handle, the same for all three ways, whose record has no id yet: provisional
  int missed = 0;
  int wrong = 0;  // another id or name, none beside a right id, or another container's handle
};

struct Verdict {
  Tally by_task, by_mntns, by_cgroup;
  std::vector<std::string>
      complaints;  // one line for each container that was not right by all three
};

// Starts `count` containers named prefix0, prefix1, ... that wait, `at_once` at a time; each runs
// its own marker, from `first_marker` on. An error where an engine refuses one, or the observer saw
// no system call of it.
absl::StatusOr<std::vector<StartedContainer>> StartContainers(Engine* engine, StartMode mode,
                                                              int count, int at_once,
                                                              const std::string& prefix,
                                                              int first_marker, Observer* observer);

// Removes them, `at_once` at a time.
absl::Status RemoveContainers(Engine* engine, const std::vector<StartedContainer>& containers,
                              int at_once);

Verdict Decide(const std::vector<StartedContainer>& containers);

// "task 20/0/0/0 mntns ..." : right, unnamed, missed, wrong.
std::string ToText(const Verdict& verdict);

// Durations in order; the value below which `part` of them lie.
absl::Duration Quantile(std::vector<absl::Duration> durations, double part);
std::vector<absl::Duration> StartTimes(const std::vector<StartedContainer>& containers);

}  // namespace roster::testing

#endif  // ROSTER_TESTS_INTEGRATION_JUDGE_H_

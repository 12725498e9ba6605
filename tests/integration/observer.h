// Observer tells what a tracer that is not Roster's finds at the first system call of each
// container.
//
// Not thread-safe: start containers in many threads, then collect in one.
#ifndef ROSTER_TESTS_INTEGRATION_OBSERVER_H_
#define ROSTER_TESTS_INTEGRATION_OBSERVER_H_

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

struct bpf_link;
struct bpf_object;
struct ring_buffer;

namespace roster::testing {

struct Found {
  uint64_t handle = 0;  // 0: a miss
  uint32_t state = 0;
  uint32_t flags = 0;
  std::string runtime, id, name;  // of the record, as it was at that moment
};

struct FirstCall {
  int marker = 0;
  pid_t pid = 0;
  uint64_t exec_ns = 0, call_ns = 0;  // CLOCK_MONOTONIC
  uint64_t mntns = 0, cgroup_id = 0;
  Found by_task, by_mntns, by_cgroup;
};

class Observer {
 public:
  enum class Kind {
    kHeader,    // built with roster.bpf.h and nothing else of Roster's
    kStranger,  // built with nothing of Roster's
  };

  // Reads the maps pinned in `pin_directory`. "": maps of its own, which are empty, as if there
  // were no Roster.
  static absl::StatusOr<std::unique_ptr<Observer>> Attach(Kind kind,
                                                          const std::string& pin_directory);
  ~Observer();
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;

  // The first call of the process that runs `marker`, which is then forgotten, so that the marker
  // can be used again.
  absl::StatusOr<FirstCall> Await(int marker, absl::Time deadline);
  // Forgets what has been seen so far.
  void Clear();

  // The observer's own view of a map, to fill one of its own by hand. -1 where it has none of that
  // name.
  int MapFd(const std::string& name) const;

 private:
  Observer() = default;
  static int OnCall(void* observer, void* data, size_t size);
  uint64_t Lost() const;

  bpf_object* object_ = nullptr;
  ring_buffer* ring_ = nullptr;
  std::map<int, FirstCall> seen_;
  std::vector<bpf_link*> links_;
};

}  // namespace roster::testing

#endif  // ROSTER_TESTS_INTEGRATION_OBSERVER_H_

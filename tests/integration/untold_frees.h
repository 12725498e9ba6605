// UntoldFrees counts the tasks that the kernel freed without telling BPF programs.
//
// There are some with a kernel that runs no program in the softirqs that interrupt the threads of
// its machine's supervisor; what Roster had noted of such a task stays until the address is another
// task's. The kernel does not count them as missed runs, but perf's counter of the same tracepoint
// has them.
#ifndef ROSTER_TESTS_INTEGRATION_UNTOLD_FREES_H_
#define ROSTER_TESTS_INTEGRATION_UNTOLD_FREES_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "kernel/fd.h"

struct told_frees_bpf;

namespace roster::testing {

// Thread-compatible.
class UntoldFrees {
 public:
  // Counts from now on. An error where the kernel lacks perf's events or tracefs is not mounted.
  static absl::StatusOr<std::unique_ptr<UntoldFrees>> Begin();
  ~UntoldFrees();
  UntoldFrees(const UntoldFrees&) = delete;
  UntoldFrees& operator=(const UntoldFrees&) = delete;

  // Of all tasks of the machine, Roster's or not.
  uint64_t Count() const;

 private:
  UntoldFrees() = default;
  uint64_t Freed() const;
  // Freed less told, at a moment between two frees.
  uint64_t Difference() const;

  std::vector<Fd> counters_;  // one for each processor that is on
  told_frees_bpf* skeleton_ = nullptr;
  uint64_t at_begin_ = 0;
};

}  // namespace roster::testing

#endif  // ROSTER_TESTS_INTEGRATION_UNTOLD_FREES_H_

// ExecTimes measures, from outside, for how long the execs of container runtimes took: what a hold
// adds to a start.
#ifndef ROSTER_TESTS_INTEGRATION_EXEC_TIMES_H_
#define ROSTER_TESTS_INTEGRATION_EXEC_TIMES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

struct exec_times_bpf;
struct ring_buffer;

namespace roster::testing {

// One exec of runc, crun or conmon: from the system call's entry until the new program stands.
struct ExecTime {
  std::string program;
  uint64_t start_ns = 0;  // CLOCK_MONOTONIC
  absl::Duration took;
};

// Thread-compatible.
class ExecTimes {
 public:
  static absl::StatusOr<std::unique_ptr<ExecTimes>> Attach();
  ~ExecTimes();
  ExecTimes(const ExecTimes&) = delete;
  ExecTimes& operator=(const ExecTimes&) = delete;

  // Those since the last call, oldest first; DATA_LOSS when some were not recorded.
  absl::StatusOr<std::vector<ExecTime>> Take();

 private:
  ExecTimes() = default;
  static int OnExec(void* self, void* data, size_t size);

  exec_times_bpf* skeleton_ = nullptr;
  ring_buffer* ring_ = nullptr;
  std::vector<ExecTime> taken_;
};

}  // namespace roster::testing

#endif  // ROSTER_TESTS_INTEGRATION_EXEC_TIMES_H_

#include "integration/exec_times.h"

#include <bpf/libbpf.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "kernel/errors.h"

// The skeleton uses the struct.
// clang-format off
#include "integration/bpf/exec_times_abi.h"
#include "exec_times.skel.h"
// clang-format on

namespace roster::testing {

absl::StatusOr<std::unique_ptr<ExecTimes>> ExecTimes::Attach() {
  std::unique_ptr<ExecTimes> times(new ExecTimes);
  times->skeleton_ = exec_times_bpf::open_and_load();
  if (times->skeleton_ == nullptr) return ErrnoStatus("load", "exec_times.bpf.c", errno);
  times->ring_ = ring_buffer__new(bpf_map__fd(times->skeleton_->maps.execs), &ExecTimes::OnExec,
                                  times.get(), nullptr);
  if (times->ring_ == nullptr) return ErrnoStatus("open", "the ring buffer of execs", errno);
  if (int error = exec_times_bpf::attach(times->skeleton_); error != 0)
    return ErrnoStatus("attach", "exec_times.bpf.c", -error);
  return times;
}

ExecTimes::~ExecTimes() {
  ring_buffer__free(ring_);
  exec_times_bpf::destroy(skeleton_);
}

int ExecTimes::OnExec(void* self, void* data, size_t size) {
  exec_time exec;
  if (size < sizeof(exec)) return 0;
  std::memcpy(&exec, data, sizeof(exec));
  static_cast<ExecTimes*>(self)->taken_.push_back(
      {std::string(exec.comm, strnlen(exec.comm, sizeof(exec.comm))), exec.start_ns,
       absl::Nanoseconds(static_cast<int64_t>(exec.took_ns))});
  return 0;
}

absl::StatusOr<std::vector<ExecTime>> ExecTimes::Take() {
  ring_buffer__consume(ring_);
  if (const uint64_t lost = skeleton_->bss->lost; lost != 0)
    return absl::DataLossError(absl::StrCat(lost, " execs were not recorded"));
  return std::exchange(taken_, {});
}

}  // namespace roster::testing

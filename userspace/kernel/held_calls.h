// HeldCalls tells which system call another task is in, also while that task waits for a processor.
#ifndef ROSTER_USERSPACE_KERNEL_HELD_CALLS_H_
#define ROSTER_USERSPACE_KERNEL_HELD_CALLS_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace roster {

struct HeldCall {
  uint64_t number = 0;  // of the system call
  uint64_t args[3] = {};
};

// Thread-safe.
class HeldCalls {
 public:
  // Loads the program; nothing is attached or pinned. FAILED_PRECONDITION with the end of libbpf's
  // log when the kernel refuses. Changes libbpf's print function meanwhile, see LibbpfLog.
  static absl::StatusOr<std::unique_ptr<HeldCalls>> Load();
  ~HeldCalls();
  HeldCalls(const HeldCalls&) = delete;
  HeldCalls& operator=(const HeldCalls&) = delete;

  // The registers that task `tid`, of this process's pid namespace, entered the kernel with last:
  // its system call, for one that is held in it; about 20 us. NOT_FOUND when there is no such
  // task, and on kernels without "bpf: Fix iter/task tid filtering" (in 6.12 and the stable series)
  // for a thread that is no leader.
  absl::StatusOr<HeldCall> Read(pid_t tid) const;

 private:
  struct Skeleton;
  explicit HeldCalls(std::unique_ptr<Skeleton> skeleton);
  std::unique_ptr<Skeleton> skeleton_;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_KERNEL_HELD_CALLS_H_

// KernelHook is the kernel hook alone, without the daemon: who uses it plays userspace's part by
// writing the maps.
#ifndef ROSTER_TESTS_INTEGRATION_KERNEL_HOOK_H_
#define ROSTER_TESTS_INTEGRATION_KERNEL_HOOK_H_

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kernel/bpf_map.h"
#include "lineage_abi.h"

struct cgroups_bpf;
struct lifecycle_bpf;

namespace roster::testing {

// The programs of lifecycle.bpf.c and cgroups.bpf.c over maps pinned in `directory`, which is made,
// and removed at the end. Not thread-safe.
class KernelHook {
 public:
  explicit KernelHook(const std::string& directory) : directory_(directory) {}
  ~KernelHook();
  KernelHook(const KernelHook&) = delete;
  KernelHook& operator=(const KernelHook&) = delete;

  // Once, before anything else.
  absl::Status Attach();

  // Reserves `slot` for `id`, and arms thread `tid` with it, as userspace does while the runtime's
  // exec is held; the handle. `exe_ino` is the inode number of the runtime's executable, 0 where
  // that is not to be compared.
  absl::StatusOr<uint64_t> Arm(pid_t tid, uint32_t slot, const std::string& id, uint64_t exe_ino);

  // Of the pins, shared with BPF.
  absl::StatusOr<MappedArray<roster_birth>> Births() const;
  absl::StatusOr<MappedArray<roster_membership>> Slots() const;
  absl::StatusOr<MappedArray<roster_abi>> Abi() const;

  const std::string& directory() const { return directory_; }

 private:
  absl::Status Load();
  absl::Status FillHot();

  const std::string directory_;
  lifecycle_bpf* lifecycle_ = nullptr;
  cgroups_bpf* cgroups_ = nullptr;
};

}  // namespace roster::testing

#endif  // ROSTER_TESTS_INTEGRATION_KERNEL_HOOK_H_

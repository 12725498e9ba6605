// FdReserve keeps fds of the table that daemon and keeper share for the keeper alone.
#ifndef ROSTER_USERSPACE_HOOK_FD_RESERVE_H_
#define ROSTER_USERSPACE_HOOK_FD_RESERVE_H_

#include <sys/resource.h>

#include <cstdint>

#include "absl/status/status.h"

namespace roster {

// Resource limits belong to a process and not to its fd table, so the daemon and the keeper can
// have different ones over the table they share: what lies between the two is the keeper's,
// however many fds the daemon uses up. Not thread-safe.
class FdReserve {
 public:
  FdReserve() = default;
  // Gives the process its first limit back; not in a forked child.
  ~FdReserve();
  FdReserve(const FdReserve&) = delete;
  FdReserve& operator=(const FdReserve&) = delete;

  // Sets `wanted` fds aside by lowering this process's soft RLIMIT_NOFILE, raising the hard one
  // first where it is low; fewer where it stays low. RESOURCE_EXHAUSTED where none are left.
  absl::Status Reserve(uint32_t wanted);

  // How many were set aside for held events.
  uint32_t reserved() const { return reserved_; }
  // The soft limit for the keeper.
  rlim_t keeper_limit() const { return keeper_limit_; }

  // The daemon uses the reserve itself while there is no keeper, and gives it back.
  absl::Status Take() const;
  absl::Status GiveBack() const;

 private:
  int owner_ = 0;  // pid
  uint32_t reserved_ = 0;
  rlim_t original_limit_ = 0;
  rlim_t daemon_limit_ = 0;
  rlim_t keeper_limit_ = 0;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_HOOK_FD_RESERVE_H_

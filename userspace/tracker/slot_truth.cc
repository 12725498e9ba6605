#include "tracker/slot_truth.h"

#include <sys/types.h>

#include <cstdint>

#include "absl/status/statusor.h"
#include "kernel/fd.h"
#include "process/namespace_ids.h"
#include "process/proc_task.h"
#include "process/task_end.h"

namespace roster {
namespace {

// Whether the process was there when the slot's init took its handle.
bool IsOldEnough(const ProcTask& init, uint64_t bound_ns) {
  const absl::StatusOr<uint64_t> start = init.StartBootTimeNs();
  return start.ok() && (bound_ns == 0 || *start <= bound_ns);
}

// The pid and the inode number may be another process's and namespace's by now, the id may not, and
// no later process is as old. Where it is now, in which cgroup and network, is its own business.
bool InitLives(const roster_membership& slot) {
  const absl::StatusOr<ProcTask> init = ProcTask::Open(static_cast<pid_t>(slot.init_pid));
  if (!init.ok()) return false;
  const absl::StatusOr<uint64_t> mntns = init->NamespaceInode(NamespaceKind::kMnt);
  if (!mntns.ok() || *mntns != slot.mntns) return false;
  if (!IsOldEnough(*init, slot.bound_ns)) return false;
  const absl::StatusOr<Fd> ns = init->OpenNamespace(NamespaceKind::kMnt);
  const uint64_t id = ns.ok() ? MntnsId(ns->get()) : 0;
  // 0: an older kernel, or a slot that userspace filled on one.
  return id == 0 || slot.mntns_id == 0 || id == slot.mntns_id;
}

}  // namespace

bool IsTrue(const roster_membership& slot, const roster_birth& birth) {
  if (slot.state == ROSTER_EXITING) return birth.nlive > 0;
  return InitLives(slot);
}

bool HasAnEnd(const roster_membership& slot, const roster_birth& birth) {
  if (birth.ntasks > 0 || slot.state != ROSTER_BOUND) return true;
  return InitLives(slot) && !HasEnded(static_cast<pid_t>(slot.init_pid));
}

}  // namespace roster

// A held task is given the handle of a container that is about to be made, or entered.
#include <bpf/bpf.h>

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "kernel/errors.h"
#include "mirror/mirror.h"
#include "process/task_end.h"

namespace roster {

// An entry that is there has not been taken: the exec that it was made for has failed.
void Mirror::Disarm(uint32_t tid) {
  const std::optional<roster_armed> armed = maps_.armed.Find(tid);
  if (!armed || !maps_.armed.Remove(tid)) return;
  AddField(maps_.hot[0].armed, -1);
  if (slots_.Claim(armed->handle, ROSTER_PENDING)) FreeClaimed(armed->handle);
  maps_.records.Remove(armed->handle);
}

absl::StatusOr<uint64_t> Mirror::ArmHandle(uint64_t handle, const HeldTask& task) {
  roster_birth* birth = slots_.Birth(handle);
  birth->npending = 1;
  birth->exe_ino = task.exe_ino;
  slots_.Publish(handle, ROSTER_PENDING);
  // Counted before it is there: too high costs time, too low would miss it.
  AddField(maps_.hot[0].armed, 1);
  const uint32_t tid = static_cast<uint32_t>(task.tid);
  Disarm(tid);
  if (absl::Status status = maps_.armed.Set(tid, roster_armed{handle}, BPF_NOEXIST); !status.ok()) {
    AddField(maps_.hot[0].armed, -1);
    if (slots_.Claim(handle, ROSTER_PENDING)) slots_.Free(handle);
    maps_.records.Remove(handle);
    return status;
  }
  // Its exit puts back what is armed for it, but not what comes after.
  if (HasEnded(static_cast<pid_t>(tid))) {
    Disarm(tid);
    return absl::NotFoundError(absl::StrCat("task ", tid, " has ended"));
  }
  abi_.Changed();
  return handle;
}

absl::StatusOr<uint64_t> Mirror::Arm(const Container& container, const HeldTask& task) {
  ROSTER_ASSIGN_OR_RETURN(const uint64_t handle, ReserveSlot());
  PutNewRecord(handle, container, /*started_at_ns=*/0);
  return ArmHandle(handle, task);
}

absl::StatusOr<uint64_t> Mirror::ArmJoin(uint64_t target, const HeldTask& task) {
  if (slots_.Find(target) == nullptr)
    return absl::NotFoundError(absl::StrCat("no container has handle ", target));
  ROSTER_ASSIGN_OR_RETURN(const uint64_t handle, ReserveSlot());
  roster_membership& m = maps_.slots[ROSTER_HANDLE_SLOT(handle)];
  m.flags = ROSTER_F_JOIN;
  m.parent = target;
  return ArmHandle(handle, task);
}

// What no task will take any more: of tasks that have ended, and what a daemon that was killed had
// not armed yet, or had counted only.
size_t Mirror::FreeUntaken() {
  size_t freed = 0;
  const uint32_t counted = LoadField(maps_.hot[0].armed);
  std::vector<uint64_t> untaken;
  for (uint64_t handle : slots_.Handles()) {
    const std::optional<roster_membership> m = slots_.Snapshot(handle);
    if (m && m->state == ROSTER_PENDING) untaken.push_back(handle);
  }
  size_t armed = 0;
  for (uint32_t tid : maps_.armed.Keys()) {
    const std::optional<roster_armed> entry = maps_.armed.Find(tid);
    if (!entry) continue;
    if (HasEnded(static_cast<pid_t>(tid))) {
      Disarm(tid);
      ++freed;
      continue;
    }
    ++armed;
    std::erase(untaken, entry->handle);
  }
  // A carrier that forks and exits meanwhile may be missed; what is freed too early becomes a
  // container that nobody announced.
  if (!untaken.empty()) {
    for (uint64_t key : maps_.lineage.Keys()) {
      if (const std::optional<roster_lineage> l = maps_.lineage.Find(key)) {
        std::erase(untaken, l->pending);
      }
    }
  }
  for (uint64_t handle : untaken) {
    if (!slots_.Claim(handle, ROSTER_PENDING)) continue;
    FreeClaimed(handle);
    maps_.records.Remove(handle);
    ++freed;
  }
  // Whoever takes one counts it down a moment later: only what was too much all the time is.
  const uint32_t still = LoadField(maps_.hot[0].armed);
  const uint32_t least = std::min(counted, still);
  if (least > armed) AddField(maps_.hot[0].armed, static_cast<uint32_t>(armed) - least);
  return freed;
}

}  // namespace roster

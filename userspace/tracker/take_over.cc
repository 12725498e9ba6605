// What the roll takes over without having been told: at a start, when nobody held the runtime, and
// when messages were lost.
#include <optional>
#include <utility>
#include <vector>

#include "kernel/errors.h"
#include "log/log.h"
#include "mirror/record.h"
#include "tracker/describe.h"
#include "tracker/kernel_facts.h"
#include "tracker/roll.h"

namespace roster {

void Roll::Restore(uint64_t handle, const roster_membership& slot) {
  if (slot.state == ROSTER_ENDED) {
    OnEnded(handle);
    return;
  }
  if ((slot.flags & ROSTER_F_PROVISIONAL) != 0) {
    Resolve(handle, static_cast<pid_t>(slot.init_pid));
    return;
  }
  const std::optional<roster_record> record = mirror_->Record(handle);
  Container container;
  ContainerKind kind = ContainerKind::kContainer;
  if (record) container = ContainerFromRecord(*record, slot);
  // Of one whose init has gone: the number may be another process's by now.
  const bool has_init = slot.state < ROSTER_EXITING;
  if (has_init) {
    if (absl::StatusOr<Identity> identity = finder_.FindNow(static_cast<pid_t>(slot.init_pid));
        identity.ok()) {
      container = DescribeIdentity(*identity, options_.host_root, std::move(container), &kind);
    }
  }
  if (container.runtime.container_id.empty()) {
    Resolve(handle, static_cast<pid_t>(slot.init_pid));
    return;
  }
  TakeMembership(slot, &container);
  if (kind == ContainerKind::kSandbox) mirror_->MarkSandbox(handle);
  if (has_init) ReadCgroup(static_cast<pid_t>(slot.init_pid), &container).IgnoreError();
  // It may have been bound while there was no daemon to write the time down.
  if (!record || record->started_at_ns == 0) mirror_->Update(container).IgnoreError();
  TakeStart(slot, &container);
  (void)mirror_->NoteBound(container);
  Announce(std::move(container), nullptr);
}

absl::StatusOr<Roll::Adopted> Roll::AdoptRunning(pid_t pid,
                                                 const absl::flat_hash_set<std::string>& awaited) {
  ROSTER_ASSIGN_OR_RETURN(const Identity identity, finder_.FindNow(pid));
  if (awaited.contains(identity.id)) return absl::AlreadyExistsError("waits to be started");
  ContainerKind kind = ContainerKind::kContainer;
  Container container = DescribeIdentity(identity, options_.host_root, Container(), &kind);
  ROSTER_ASSIGN_OR_RETURN(const InitIdentity init, ReadKernelFacts(pid, host_, &container));
  ROSTER_ASSIGN_OR_RETURN(container.handle, mirror_->Adopt(container, init));
  if (kind == ContainerKind::kSandbox) mirror_->MarkSandbox(container.handle);
  (void)mirror_->NoteBound(container);
  Adopted adopted{.handle = container.handle, .cgroup_path = container.cgroup_path};
  Announce(std::move(container), nullptr);
  return adopted;
}

void Roll::NoteRoot(const std::string& root) {
  if (!finder_.NoteRoot(root)) return;
  for (const auto& [handle, pid] : unknown_) {
    Resolve(handle, pid, IdentityFinder::Effort::kOnce);
  }
}

void Roll::Resolve(uint64_t handle, pid_t pid, IdentityFinder::Effort effort) {
  const auto wanted = [this, handle, pid] {
    const std::optional<roster_membership> slot = mirror_->Slot(handle);
    return slot && slot->init_pid == static_cast<uint32_t>(pid) &&
           (!living_.contains(handle) || unknown_.contains(handle));
  };
  if (living_.contains(handle) && !unknown_.contains(handle)) return;
  finder_.Find(pid, effort, wanted, [this, handle, pid](const absl::StatusOr<Identity>& identity) {
    Resolved(handle, pid, identity);
  });
}

void Roll::Resolved(uint64_t handle, pid_t pid, const absl::StatusOr<Identity>& identity) {
  const std::optional<roster_membership> slot = mirror_->Slot(handle);
  const bool again = unknown_.contains(handle);
  if (!slot || (again && !identity.ok())) return;
  Container container;
  ContainerKind kind = ContainerKind::kContainer;
  const std::optional<roster_record> record = mirror_->Record(handle);
  if (record) container = ContainerFromRecord(*record, *slot);
  if (identity.ok() && IsUnknown(container)) container = Container();
  if (again) {
    // To subscribers it is another container: another id.
    unknown_.erase(handle);
    worker_.Post([this, handle] { (void)collection_->RemoveContainerByHandle(handle); });
  }
  if (identity.ok() && !identity->runtime_path.empty() && options_.on_runtime &&
      (slot->flags & ROSTER_F_PROVISIONAL) != 0) {
    options_.on_runtime(identity->runtime_path);
  }
  if (identity.ok()) {
    container = DescribeIdentity(*identity, options_.host_root, std::move(container), &kind);
  } else if (container.runtime.container_id.empty()) {
    mirror_->Count(ROSTER_STAT_UNRESOLVED);
    LogWarning("container of an unknown runtime", {{"pid", pid}, {"error", identity.status()}});
    container = DescribeUnknown(handle);
  }
  TakeMembership(*slot, &container);
  if (kind == ContainerKind::kSandbox) mirror_->MarkSandbox(handle);
  ReadCgroup(pid, &container).IgnoreError();
  if (absl::Status status = mirror_->Update(container); !status.ok()) {
    LogWarning("record not written", {{"id", container.runtime.container_id}, {"error", status}});
  }
  TakeStart(*slot, &container);
  (void)mirror_->NoteBound(container);
  const bool ending = slot->state == ROSTER_ENDED;
  if (!ending) Announce(std::move(container), nullptr);
}

// Its init has taken its handle, and nobody has written that down.
bool Roll::IsStartUntold(const roster_membership& slot) const {
  if (slot.bound_ns == 0 || !living_.contains(slot.handle)) return false;
  const std::optional<roster_record> record = mirror_->Record(slot.handle);
  return record && record->started_at_ns == 0;
}

void Roll::Reconcile() {
  for (uint64_t handle : mirror_->Handles()) {
    const std::optional<roster_membership> slot = mirror_->Slot(handle);
    if (!slot || slot->state == ROSTER_PENDING || slot->init_pid == 0) continue;
    if ((slot->flags & (ROSTER_F_JOIN | ROSTER_F_POD)) != 0) continue;
    if (preparing_.contains(handle) || IsStartUntold(*slot)) {
      OnBound({.type = ROSTER_EV_BOUND, .pid = slot->init_pid, .handle = handle});
    }
    if (slot->state == ROSTER_ENDED) {
      OnEnded(handle);
    } else if (!living_.contains(handle)) {
      Resolve(handle, static_cast<pid_t>(slot->init_pid));
    }
  }
  std::vector<uint64_t> gone;
  for (const auto& [handle, preparing] : preparing_) {
    if (!mirror_->Slot(handle)) gone.push_back(handle);
  }
  for (uint64_t handle : gone) OnDropped(handle);
  gone.clear();
  for (const auto& [handle, id] : living_) {
    if (!mirror_->Slot(handle)) gone.push_back(handle);
  }
  for (uint64_t handle : gone) OnEnded(handle);
  // Whose end was not told may have shared a mount namespace: `handle` 0, which nobody has, has
  // left nothing but that.
  mirror_->NoteCleared(0, ROSTER_F_SHARED_MNTNS);
}

}  // namespace roster

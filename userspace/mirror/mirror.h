// Mirror is the one writer in userspace of the pinned maps.
#ifndef ROSTER_USERSPACE_MIRROR_MIRROR_H_
#define ROSTER_USERSPACE_MIRROR_MIRROR_H_

#include <roster/container.h>
#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "kernel/mutex.h"
#include "kernel/pins.h"
#include "kernel/shared_field.h"
#include "mirror/abi_writer.h"
#include "mirror/counters.h"
#include "mirror/pods.h"
#include "mirror/slot_table.h"
#include "mirror/tracer_sets.h"

namespace roster {

// The held exec that a handle is armed for.
struct HeldTask {
  pid_t tid = 0;         // in the host's pid namespace
  uint64_t exe_ino = 0;  // inode number of the executable as the kernel has it; 0: not compared
};

// Where an adopted container's init is.
struct InitIdentity {
  pid_t pid = 0;
  uint64_t mntns_id = 0;  // 0: unknown
  uint64_t netns_cookie = 0;
  uint64_t pidns = 0;
};

// A full map refuses what is new and keeps what it holds, counted in roster_stats and logged: the
// container is missing from that map alone. Without a free slot it cannot be at all, and the error
// is RESOURCE_EXHAUSTED, naming roster_slot. Thread-safe.
class Mirror {
 public:
  Mirror(const PinPaths& paths, PinnedMaps maps);

  // Whose the pins are, and that somebody writes them.
  AbiWriter& abi() { return abi_; }
  // Where a TracerCollection writes to.
  TracerSink& tracer_sink() { return tracer_sets_; }

  // Fills slot and record for a container about to be made and arms the held task with its handle.
  // The runtime's exec, once released, takes it. What an earlier exec of the task, one that failed,
  // has left untaken is freed. NOT_FOUND, and nothing is left, when the task has ended.
  absl::StatusOr<uint64_t> Arm(const Container& container, const HeldTask& task);
  // The same for `exec` into the container `target`.
  absl::StatusOr<uint64_t> ArmJoin(uint64_t target, const HeldTask& task);
  // A slot for a container that already runs, BOUND, with its identities. ALREADY_EXISTS when its
  // mount namespace leads to a living container: the kernel hook was faster.
  absl::StatusOr<uint64_t> Adopt(const Container& container, const InitIdentity& init);

  // What was made below the cgroup of an adopted container before the kernel's programs watched
  // leads to it too, unless it leads to another; `directory` is where that cgroup is. As much as
  // one container may have. RESOURCE_EXHAUSTED past that, or where the map is full.
  absl::Status EnterChildCgroups(uint64_t handle, const std::string& directory);

  // The init of an armed container is known before it runs (its pid file is being read): its
  // identities lead to the slot from now on; the slot stays PENDING until the kernel sees the
  // init's exec. ALREADY_EXISTS, and nothing changed, when its mount namespace is another's.
  absl::Status BindEarly(const Container& container, const InitIdentity& init);

  // Rewrites the record of container.handle and clears `provisional`, unless it IsUnknown. Times
  // are kept; the start is the kernel's bind once there was one, whatever `container` says.
  // NOT_FOUND when the handle names nothing any more.
  absl::Status Update(const Container& container);

  // The container holds a pod's namespaces and is none of its own: readers may hide it. Nothing
  // happens when the handle names nothing any more.
  void MarkSandbox(uint64_t handle);

  // Notes that the container of `handle` has been bound, or found again at start: its network
  // namespace leads to it, or to a pod when it is shared.
  absl::Status NoteBound(const Container& container);

  // The container has ended: its record becomes a tombstone until `grace` has passed, and a slot
  // that is not free by then is freed. The first call counts.
  void Bury(uint64_t handle, absl::Duration grace);
  // Its slot is free: what it shared is handed on. `flags` are the last of its membership.
  // Idempotent.
  void NoteCleared(uint64_t handle, uint32_t flags);
  // Removes a container that userspace found to be gone although BPF did not see it end.
  void Drop(uint64_t handle);
  // Removes the tombstones, and what is left of their slots, whose time has come; returns when the
  // next one is due, or InfiniteFuture. Times of SteadyNow().
  absl::Time ExpireTombstones(absl::Time now);

  // Which executables are runtimes, for the kernel hook. Replaces the set.
  struct RuntimeFile {
    uint64_t ino = 0;
    uint64_t dev = 0;  // st_dev; 0: any
  };
  absl::Status SetRuntimes(const std::vector<RuntimeFile>& files);

  void Count(uint32_t stat, uint64_t n = 1) { counters_.Add(stat, n); }
  std::optional<roster_membership> Slot(uint64_t handle) const { return slots_.Snapshot(handle); }
  // How the slot of a handle that names one came to be, and what keeps it.
  roster_birth Birth(uint64_t handle) const { return CopyShared(*slots_.Birth(handle)); }
  std::optional<roster_record> Record(uint64_t handle) const { return maps_.records.Find(handle); }
  std::vector<uint64_t> Handles() const { return slots_.Handles(); }
  // Identity entries that lead nowhere, or to a container that has another, are removed, missing
  // ones entered; slots that a crash left reserved, or pending without a task that could take them,
  // are freed; what containers share leads to one that is there; tracers' bits are cleared and
  // their sets emptied, until somebody asks for them again. At start, before any container is
  // noted.
  size_t Repair();
  int events_fd() const { return maps_.events.get(); }
  // Grows when a message of the kernel hook has found its buffer full. Read it when the buffer has
  // been emptied: what was lost before is counted by then.
  uint64_t EventsLost() { return LoadField(maps_.hot[0].events_lost); }

 private:
  absl::StatusOr<uint64_t> ArmHandle(uint64_t handle, const HeldTask& task);
  void Disarm(uint32_t tid);
  size_t FreeUntaken();
  // Frees a slot that the caller has claimed, and what leads to it; its last flags.
  uint32_t FreeClaimed(uint64_t handle);
  absl::StatusOr<uint64_t> ReserveSlot();
  void PutNewRecord(uint64_t handle, const Container& container, int64_t started_at_ns);
  absl::Status PutRecord(const roster_record& record);
  // ALREADY_EXISTS when the mount namespace leads to another container that lives.
  absl::Status CheckMntnsIsFree(const roster_membership& m) const;
  absl::Status EnterIdentities(const roster_membership& m);
  void HandOnMntns();
  size_t RemoveFalseEntries();
  size_t EnterMissing();

  PinnedMaps maps_;
  AbiWriter abi_;
  SlotTable slots_;
  TracerSets tracer_sets_;
  Counters counters_;
  Pods pods_;
  Mutex mutex_;
  absl::flat_hash_map<uint64_t, absl::Time> tombstones_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_MIRROR_MIRROR_H_

// Roll is the one place where a container comes to be, is named, and ends: between the hooks that
// see it, the mirror that writes it down and the collection that tells subscribers.
#ifndef ROSTER_USERSPACE_TRACKER_ROLL_H_
#define ROSTER_USERSPACE_TRACKER_ROLL_H_

#include <roster/collection.h>
#include <roster/container.h>
#include <roster/tracer_collection.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "enrich/enricher.h"
#include "hook/pid_file_marks.h"
#include "kernel/host.h"
#include "lineage_abi.h"
#include "mirror/mirror.h"
#include "runtime/identify.h"
#include "tracker/event_loop.h"
#include "tracker/identity_finder.h"
#include "tracker/resolve_exec.h"
#include "tracker/worker.h"

namespace roster {

struct RollOptions {
  // For how long the record of an ended container stays as a tombstone.
  absl::Duration tombstone_grace = absl::Seconds(5);
  // See KnownRoots; "": remembered by this process only.
  std::string roots_file;
  std::string host_root;  // see TrackerOptions
  // Called, on the loop's thread, with the executable of a runtime that made a container which
  // nobody had announced, where that can be seen.
  std::function<void(const std::string& path)> on_runtime;
  // See TrackerOptions.
  std::function<TracerBits(const Container&)> tracers_of;
};

// All methods are for the loop's thread; callbacks run on it too.
class Roll {
 public:
  // All must outlive it. `late` may be nullptr: engines are then not asked.
  Roll(EventLoop* loop, Mirror* mirror, ContainerCollection* collection, LateEnricher* late,
       const HostIdentity& host, RollOptions options);

  // --- From the runtime hook
  // -------------------------------------------------------------------------------- A held runtime
  // will make this container: arms the task, tells subscribers PRECREATE, then calls `release`. On
  // an error (no slot is free) nothing is armed and `release` is not called.
  absl::StatusOr<uint64_t> Prepare(PreparedCreate prepared, const HeldTask& task,
                                   std::function<void()> release);
  // Keeps the mark on the container's pid file for as long as it is awaited.
  void AwaitPidFile(uint64_t handle, PidFileMarks::Token token);
  // Whether task `tid` carries a handle for container `id` that no init has taken yet (crun
  // executes itself again).
  bool IsPrepared(pid_t tid, const std::string& id) const;
  // The id of the container that `handle` was prepared for; "" when it is not any more.
  std::string PreparedId(uint64_t handle) const;
  // A held runtime will enter a container: arms the task when the container is known.
  void PrepareJoin(const JoinIntent& join, const HeldTask& task);
  // What conmon knows and its runtime will not be told.
  void NoteConmon(ConmonIntent conmon);
  // Somebody reads the pid file of `handle`, in which `pid` stands: the container is announced,
  // then `release` runs. INVALID_ARGUMENT when `pid` cannot be that container's init; `release` is
  // then not called.
  absl::Status Created(uint64_t handle, pid_t pid, std::function<void()> release);

  // --- From the kernel hook
  // ---------------------------------------------------------------------------------
  void OnKernelEvent(const roster_event& event);
  // Some of its events were lost: does what they would have done, by what the slots say.
  void Reconcile();

  // --- At start
  // ---------------------------------------------------------------------------------------------
  // A slot that an earlier daemon left, checked to be true: takes it over, with what its record and
  // the running process tell.
  void Restore(uint64_t handle, const roster_membership& slot);
  // A process that is a container's init and has no slot. ALREADY_EXISTS where it has one all the
  // same: the kernel hook was faster, or its id is among `awaited`, those of containers that are
  // made and wait to be started, whose inits take their slots then.
  struct Adopted {
    uint64_t handle = 0;
    std::string cgroup_path;  // its cgroup's directory; "": unknown
  };
  absl::StatusOr<Adopted> AdoptRunning(pid_t pid, const absl::flat_hash_set<std::string>& awaited);
  // One of these that is gone, and no program of the kernel's tells so.
  void Withdraw(uint64_t handle) { OnDropped(handle); }

  // --- From the collection
  // -------------------------------------------------------------------------------------------
  // A follower (see CollectionSetup): thread-safe, does not block.
  void Follow(const PubSubEvent& event);

 private:
  struct Preparing {
    PreparedCreate prepared;
    pid_t tid = 0;
    uint64_t armed_ns = 0;  // CLOCK_BOOTTIME
    PidFileMarks::Token pid_file;
    bool announced = false;  // CREATED was published when its pid file was read
  };

  void OnBound(const roster_event& event);
  void OnDropped(uint64_t handle);
  void OnEnded(uint64_t handle);
  // Finds out who the container of `handle` is.
  void Resolve(uint64_t handle, pid_t pid,
               IdentityFinder::Effort effort = IdentityFinder::Effort::kPatient);
  // A runtime keeps its states at `root`: if that is news, those that nobody could name are asked
  // about again.
  void NoteRoot(const std::string& root);
  void Resolved(uint64_t handle, pid_t pid, const absl::StatusOr<Identity>& identity);
  // The start is when init took its handle, once it has.
  void TakeStart(const roster_membership& slot, Container* container) const;
  // Publishes CREATED (`then` runs when the subscribers have answered) and asks the engine for what
  // is missing.
  void Announce(Container container, std::function<void()> then);
  // The init of an announced container that an earlier daemon armed has taken its handle.
  void NoteStart(const roster_membership& slot);
  bool IsStartUntold(const roster_membership& slot) const;
  // What is told of a container once its init runs: subscribers who know it get it as an update.
  void TellStart(Container container);
  // Adds it to the collection; on the worker's thread.
  void Add(const Container& container);
  // An initial list, which knows no handles, was faster: what the collection holds under the id of
  // this living container is this container.
  void ClaimListed(uint64_t handle);
  // Writes what the collection knows of a living container into its record.
  void Record(const ContainerPtr& container);
  void Refine(const Container& container);
  void ScheduleTombstones(absl::Time when);

  EventLoop* const loop_;
  Mirror* const mirror_;
  ContainerCollection* const collection_;
  LateEnricher* const late_;
  const HostIdentity host_;
  const RollOptions options_;
  absl::flat_hash_map<uint64_t, Preparing> preparing_;  // by handle
  absl::flat_hash_map<pid_t, uint64_t> prepared_tids_;
  absl::flat_hash_map<uint64_t, std::string> living_;  // handle to id, of announced containers
  absl::flat_hash_map<uint64_t, pid_t> unknown_;       // of living_: announced without a name
  absl::flat_hash_map<std::string, ConmonIntent> conmons_;
  std::vector<std::string> conmon_order_;
  absl::Time next_tombstones_ = absl::InfiniteFuture();
  // Last: their work uses the rest.
  Worker worker_;
  IdentityFinder finder_;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_TRACKER_ROLL_H_

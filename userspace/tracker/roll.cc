#include "tracker/roll.h"

#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "kernel/clock.h"
#include "kernel/errors.h"
#include "log/log.h"
#include "mirror/record.h"
#include "tracker/describe.h"
#include "tracker/kernel_facts.h"

namespace roster {
namespace {

// Conmons whose runtime has not come yet; the oldest is forgotten beyond.
constexpr size_t kMaxConmons = 4096;

// Waits before another try to find out who a container is: its runtime writes its state meanwhile.
constexpr absl::Duration kResolveDelays[] = {absl::Milliseconds(5), absl::Milliseconds(50),
                                             absl::Milliseconds(500), absl::Seconds(3)};

}  // namespace

Roll::Roll(EventLoop* loop, Mirror* mirror, ContainerCollection* collection, LateEnricher* late,
           const HostIdentity& host, RollOptions options)
    : loop_(loop),
      mirror_(mirror),
      collection_(collection),
      late_(late),
      host_(host),
      options_(std::move(options)),
      roots_(options_.roots_file) {}

absl::StatusOr<uint64_t> Roll::Prepare(PreparedCreate prepared, const HeldTask& task,
                                       std::function<void()> release) {
  Container& container = prepared.container;
  NoteRoot(prepared.intent.root);
  const auto conmon = conmons_.find(container.runtime.container_id);
  CompleteDescription(prepared.spec, conmon == conmons_.end() ? nullptr : &conmon->second,
                      &container);
  ROSTER_ASSIGN_OR_RETURN(const uint64_t handle, mirror_->Arm(container, task));
  container.handle = handle;
  if (prepared.sandbox) mirror_->MarkSandbox(handle);
  worker_.Post([this, container, release = std::move(release)] {
    (void)collection_->PublishPreCreate(container);
    loop_->Post(release);
  });
  // An exec of the same task that has failed took nothing; its slot is another's by now, or free.
  if (const auto failed = prepared_tids_.find(task.tid);
      failed != prepared_tids_.end() && !mirror_->Slot(failed->second)) {
    OnDropped(failed->second);
  }
  Preparing& entry = preparing_[handle];
  entry.prepared = std::move(prepared);
  entry.tid = task.tid;
  entry.armed_ns = BootTimeNs();
  prepared_tids_[task.tid] = handle;
  return handle;
}

void Roll::AwaitPidFile(uint64_t handle, PidFileMarks::Token token) {
  const auto it = preparing_.find(handle);
  if (it != preparing_.end()) it->second.pid_file = std::move(token);
}

bool Roll::IsPrepared(pid_t tid, const std::string& id) const {
  const auto it = prepared_tids_.find(tid);
  if (it == prepared_tids_.end()) return false;
  const auto entry = preparing_.find(it->second);
  return entry != preparing_.end() && entry->second.prepared.intent.id == id &&
         mirror_->Slot(it->second).has_value();
}

void Roll::PrepareJoin(const JoinIntent& join, const HeldTask& task) {
  NoteRoot(join.root);
  const ContainerPtr container = collection_->GetContainer(join.id);
  if (container == nullptr || container->handle == 0)
    return;  // the kernel hook knows it by its namespaces
  if (absl::StatusOr<uint64_t> handle = mirror_->ArmJoin(container->handle, task); !handle.ok()) {
    LogWarning("exec not armed", {{"id", join.id}, {"error", handle.status()}});
  }
}

void Roll::NoteConmon(ConmonIntent conmon) {
  if (conmon_order_.size() >= kMaxConmons) {
    conmons_.erase(conmon_order_.front());
    conmon_order_.erase(conmon_order_.begin());
  }
  const std::string id = conmon.id;
  if (conmons_.insert_or_assign(id, std::move(conmon)).second) conmon_order_.push_back(id);
}

absl::Status Roll::Created(uint64_t handle, pid_t pid, std::function<void()> release) {
  const auto it = preparing_.find(handle);
  if (it == preparing_.end()) return absl::NotFoundError("not awaited");
  Preparing& entry = it->second;
  if (entry.announced) return absl::AlreadyExistsError("announced before");
  Container container = entry.prepared.container;
  const std::string who =
      absl::StrCat("pid ", pid, " in the pid file of ", container.runtime.container_id);
  const absl::StatusOr<InitIdentity> init = ReadKernelFacts(pid, host_, &container);
  if (!init.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(who, ": ", init.status().message()));
  }
  if (container.mntns == host_.mntns) {
    return absl::InvalidArgumentError(absl::StrCat(who, " is the host's"));
  }
  if (container.runtime.container_started_at + 20000000 < RealTimeOf(entry.armed_ns)) {
    return absl::InvalidArgumentError(absl::StrCat(who, " is older than the container"));
  }
  container.runtime.container_started_at = 0;  // the process is there, its payload is not started
  if (absl::Status bound = mirror_->BindEarly(container, *init); !bound.ok()) {
    if (!absl::IsAlreadyExists(bound)) return bound;
    return absl::InvalidArgumentError(absl::StrCat(who, ": ", bound.message()));
  }
  ROSTER_RETURN_IF_ERROR(mirror_->Update(container));
  (void)mirror_->NoteBound(container);
  entry.announced = true;
  entry.pid_file.Reset();  // who reads it from now on need not wait
  entry.prepared.container = container;
  Announce(std::move(container), std::move(release));
  return absl::OkStatus();
}

void Roll::OnKernelEvent(const roster_event& event) {
  switch (event.type) {
    case ROSTER_EV_BOUND:
      OnBound(event);
      break;
    case ROSTER_EV_PROVISIONAL:
      Resolve(event.handle, static_cast<pid_t>(event.pid), 0);
      break;
    case ROSTER_EV_DROPPED:
      OnDropped(event.handle);
      break;
    case ROSTER_EV_ENDED:
      OnEnded(event.handle);
      break;
    case ROSTER_EV_CLEARED:
      OnEnded(event.handle);  // in case ENDED was lost
      mirror_->NoteCleared(event.handle, event.flags);
      break;
    default:
      break;
  }
}

void Roll::OnBound(const roster_event& event) {
  auto node = preparing_.extract(event.handle);
  const std::optional<roster_membership> slot = mirror_->Slot(event.handle);
  if (!node.empty()) prepared_tids_.erase(node.mapped().tid);
  if (!slot) return;  // ended already: its ENDED and CLEARED follow
  if (node.empty()) {
    // Armed by a daemon that is gone.
    Resolve(event.handle, static_cast<pid_t>(event.pid), 0);
    return;
  }
  Container container = std::move(node.mapped().prepared.container);
  TakeMembership(*slot, &container);
  ReadCgroup(static_cast<pid_t>(slot->init_pid), &container).IgnoreError();
  if (conmons_.erase(container.runtime.container_id) != 0) {
    std::erase(conmon_order_, container.runtime.container_id);
  }
  if (absl::Status status = mirror_->Update(container); !status.ok()) {
    LogWarning("record not written", {{"id", container.runtime.container_id}, {"error", status}});
  }
  TakeStart(*slot, &container);
  if (absl::Status status = mirror_->NoteBound(container); !status.ok()) {
    LogWarning("pod not written", {{"id", container.runtime.container_id}, {"error", status}});
  }
  if (!node.mapped().announced) {
    Announce(std::move(container), nullptr);
    return;
  }
  worker_.Post([this, container = std::move(container)] {
    (void)collection_->UpdateContainerByHandle(container.handle, [&container](Container* held) {
      // The kernel's word counts for more than the pid file's.
      held->runtime.container_pid = container.runtime.container_pid;
      held->mntns = container.mntns;
      held->netns = container.netns;
      held->runtime.container_started_at = container.runtime.container_started_at;
      held->cgroup_id = container.cgroup_id;
      held->cgroup_path = container.cgroup_path;
      return true;
    });
  });
}

// Look-ups and lists tell the same start: the record's.
void Roll::TakeStart(const roster_membership& slot, Container* container) const {
  if (slot.bound_ns == 0) return;  // made, but not started
  const std::optional<roster_record> record = mirror_->Record(slot.handle);
  container->runtime.container_started_at = record && record->started_at_ns != 0
                                                ? static_cast<int64_t>(record->started_at_ns)
                                                : RealTimeOf(slot.bound_ns);
}

void Roll::Announce(Container container, std::function<void()> then) {
  const uint64_t handle = container.handle;
  living_[handle] = container.runtime.container_id;
  if (IsUnknown(container)) unknown_[handle] = static_cast<pid_t>(container.runtime.container_pid);
  LogInfo("container created", {{"id", container.runtime.container_id},
                                {"name", container.runtime.container_name},
                                {"runtime", container.runtime.runtime_name},
                                {"pid", container.runtime.container_pid},
                                {"mntns", container.mntns},
                                {"handle", handle}});
  worker_.Post([this, container, then = std::move(then)] {
    Add(container);
    if (then) loop_->Post(then);
  });
  Refine(container);
}

void Roll::Add(const Container& container) {
  const absl::Status status = collection_->AddContainer(container);
  if (absl::IsAlreadyExists(status)) {
    loop_->Post([this, handle = container.handle] { ClaimListed(handle); });
    return;
  }
  if (!status.ok()) {
    // An enricher may not want it, a sandbox for one; its entries in the pins are right all the
    // same.
    Log(absl::IsAborted(status) ? LogLevel::kDebug : LogLevel::kWarning, "container not added",
        {{"id", container.runtime.container_id}, {"error", status}});
    return;
  }
  ContainerPtr added = collection_->LookupContainerByHandle(container.handle);
  if (added == nullptr || *added == container) return;
  loop_->Post([this, added = std::move(added)] { Record(added); });
}

void Roll::ClaimListed(uint64_t handle) {
  const auto living = living_.find(handle);
  const std::optional<roster_membership> slot = mirror_->Slot(handle);
  if (living == living_.end() || !slot) return;
  worker_.Post([this, id = living->second, slot = *slot] {
    // Not there (any more): it is still being added, and Follow sees it come, or it has ended.
    collection_
        ->UpdateContainer(id,
                          [&slot](Container* held) {
                            if (held->handle != 0) return false;
                            if (held->mntns != 0 && held->mntns != slot.mntns) return false;
                            TakeMembership(slot, held);
                            return true;
                          })
        .IgnoreError();
  });
}

void Roll::Record(const ContainerPtr& container) {
  if (!living_.contains(container->handle)) return;
  if (absl::Status status = mirror_->Update(*container); !status.ok()) {
    LogDebug("record not refined", {{"id", container->runtime.container_id}, {"error", status}});
  }
}

void Roll::Follow(const PubSubEvent& event) {
  if (event.type == EventType::kUpdated && event.container->handle != 0) {
    loop_->Post([this, container = event.container] { Record(container); });
  } else if (event.type == EventType::kCreated && event.container->handle == 0) {
    loop_->Post([this, id = event.container->runtime.container_id] {
      for (const auto& [handle, living] : living_) {
        if (living == id) ClaimListed(handle);
      }
    });
  }
}

void Roll::Refine(const Container& container) {
  if (late_ == nullptr) return;
  absl::Status status = late_->Enqueue(container, [this](LateResult result) {
    if (!result.changed && !result.is_sandbox) return;
    loop_->Post([this, result = std::move(result)]() mutable {
      // The process may have been started, or ended, while the engine was asked.
      if (!living_.contains(result.container.handle)) return;
      worker_.Post([this, result = std::move(result)] {
        const uint64_t handle = result.container.handle;
        if (result.is_sandbox) {
          // No container of its own; in the pins it stays, for what it does is its pod's.
          mirror_->MarkSandbox(handle);
          collection_->RemoveContainerByHandle(handle).IgnoreError();
          return;
        }
        collection_
            ->UpdateContainerByHandle(
                handle, [&result](Container* held) { return GiveMissing(result.container, held); })
            .IgnoreError();
      });
    });
  });
  if (!status.ok())
    LogWarning("engine not asked", {{"id", container.runtime.container_id}, {"error", status}});
}

void Roll::OnDropped(uint64_t handle) {
  auto node = preparing_.extract(handle);
  if (node.empty()) return;
  prepared_tids_.erase(node.mapped().tid);
  LogInfo("container never started",
          {{"id", node.mapped().prepared.intent.id}, {"handle", handle}});
  if (living_.contains(handle)) OnEnded(handle);
  mirror_->Drop(handle);
}

void Roll::OnEnded(uint64_t handle) {
  const auto it = living_.find(handle);
  mirror_->Bury(handle, options_.tombstone_grace);
  ScheduleTombstones(absl::Now() + options_.tombstone_grace);
  if (it == living_.end()) return;
  LogInfo("container ended", {{"id", it->second}, {"handle", handle}});
  living_.erase(it);
  unknown_.erase(handle);
  worker_.Post([this, handle] { (void)collection_->RemoveContainerByHandle(handle); });
}

void Roll::ScheduleTombstones(absl::Time when) {
  if (when >= next_tombstones_) return;
  next_tombstones_ = when;
  loop_->RunAfter(when - absl::Now(), [this] {
    next_tombstones_ = absl::InfiniteFuture();
    const absl::Time next = mirror_->ExpireTombstones(absl::Now());
    if (next != absl::InfiniteFuture()) ScheduleTombstones(next);
  });
}

void Roll::NoteRoot(const std::string& root) {
  if (!roots_.Note(root)) return;
  for (const auto& [handle, pid] : unknown_) Resolve(handle, pid, std::size(kResolveDelays));
}

void Roll::Resolve(uint64_t handle, pid_t pid, size_t attempt) {
  if (living_.contains(handle) && !unknown_.contains(handle)) return;
  IdentifyOptions where;
  where.state_roots = roots_.All();
  resolver_.Post([this, handle, pid, attempt, where = std::move(where)] {
    absl::StatusOr<Identity> identity = IdentifyRunning(pid, where);
    loop_->Post([this, handle, pid, attempt, identity = std::move(identity)]() mutable {
      Resolved(handle, pid, attempt, std::move(identity));
    });
  });
}

void Roll::Resolved(uint64_t handle, pid_t pid, size_t attempt, absl::StatusOr<Identity> identity) {
  const std::optional<roster_membership> slot = mirror_->Slot(handle);
  const bool again = unknown_.contains(handle);
  if (!slot || slot->init_pid != static_cast<uint32_t>(pid)) return;
  if (living_.contains(handle) && (!again || !identity.ok())) return;
  if (!identity.ok() && attempt < std::size(kResolveDelays)) {
    loop_->RunAfter(kResolveDelays[attempt],
                    [this, handle, pid, attempt] { Resolve(handle, pid, attempt + 1); });
    return;
  }
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
    container = DescribeIdentity(*identity, std::move(container), &kind);
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

}  // namespace roster

#include "tracker/roll.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "kernel/clock.h"
#include "kernel/errors.h"
#include "log/log.h"
#include "tracker/describe.h"
#include "tracker/kernel_facts.h"

namespace roster {
namespace {

// Conmons whose runtime has not come yet; the oldest is forgotten beyond.
constexpr size_t kMaxConmons = 4096;

}  // namespace

Roll::Roll(EventLoop* loop, Mirror* mirror, ContainerCollection* collection, LateEnricher* late,
           const HostIdentity& host, RollOptions options)
    : loop_(loop),
      mirror_(mirror),
      collection_(collection),
      late_(late),
      host_(host),
      options_(std::move(options)),
      finder_(loop, options_.roots_file) {}

absl::StatusOr<uint64_t> Roll::Prepare(PreparedCreate prepared, const HeldTask& task,
                                       std::function<void()> release) {
  Container& container = prepared.container;
  NoteRoot(prepared.intent.root);
  const auto conmon = conmons_.find(container.runtime.container_id);
  CompleteDescription(prepared.spec, conmon == conmons_.end() ? nullptr : &conmon->second,
                      options_.host_root, &container);
  ROSTER_ASSIGN_OR_RETURN(const uint64_t handle, mirror_->Arm(container, task));
  container.handle = handle;
  // Before its first instruction, and not only when the collection has it.
  if (options_.tracers_of) {
    mirror_->tracer_sink().SetTracerBits(handle, options_.tracers_of(container)).IgnoreError();
  }
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

std::string Roll::PreparedId(uint64_t handle) const {
  const auto entry = preparing_.find(handle);
  return entry == preparing_.end() ? "" : entry->second.prepared.intent.id;
}

void Roll::PrepareJoin(const JoinIntent& join, const HeldTask& task) {
  NoteRoot(join.root);
  // Of two runtimes that use one id, the caller's; of one runtime's two, told apart by their roots,
  // the kernel hook finds the right one by its namespaces, as it does with one that is not here.
  ContainerPtr container;
  for (ContainerPtr& candidate : collection_->GetContainers(join.id)) {
    if (candidate->handle == 0) continue;
    if (container == nullptr || candidate->oci_runtime == join.runtime) {
      container = std::move(candidate);
    }
  }
  if (container == nullptr) return;
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
      Resolve(event.handle, static_cast<pid_t>(event.pid));
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
    // Armed by a daemon that is gone; announced if its pid file had been read.
    if (living_.contains(event.handle)) NoteStart(*slot);
    Resolve(event.handle, static_cast<pid_t>(event.pid));
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
  TellStart(std::move(container));
}

void Roll::OnDropped(uint64_t handle) {
  if (auto node = preparing_.extract(handle); !node.empty()) {
    prepared_tids_.erase(node.mapped().tid);
    LogInfo("container never started",
            {{"id", node.mapped().prepared.intent.id}, {"handle", handle}});
  }
  // Also one that a daemon that is gone had prepared, and an exec's, which has nothing to drop.
  if (living_.contains(handle)) OnEnded(handle);
  mirror_->Drop(handle);
}

void Roll::OnEnded(uint64_t handle) {
  const auto it = living_.find(handle);
  const std::optional<roster_membership> slot = mirror_->Slot(handle);
  mirror_->Bury(handle, options_.tombstone_grace);
  ScheduleTombstones(SteadyNow() + options_.tombstone_grace);
  if (it == living_.end()) return;
  LogInfo("container ended", {{"id", it->second}, {"handle", handle}});
  Container ended;
  ended.runtime.container_id = it->second;
  ended.handle = handle;
  if (slot) TakeMembership(*slot, &ended);
  living_.erase(it);
  unknown_.erase(handle);
  // An engine may have listed it, without a handle, before it could be claimed.
  worker_.Post([this, ended = std::move(ended), is_known = slot.has_value()] {
    (void)(is_known ? collection_->RemoveContainer(ended)
                    : collection_->RemoveContainerByHandle(ended.handle));
  });
}

void Roll::ScheduleTombstones(absl::Time when) {
  if (when >= next_tombstones_) return;
  next_tombstones_ = when;
  loop_->RunAfter(when - SteadyNow(), [this] {
    next_tombstones_ = absl::InfiniteFuture();
    const absl::Time next = mirror_->ExpireTombstones(SteadyNow());
    if (next != absl::InfiniteFuture()) ScheduleTombstones(next);
  });
}

}  // namespace roster

// What the roll tells the collection, and what the collection knows better.
#include <optional>
#include <utility>

#include "kernel/clock.h"
#include "log/log.h"
#include "mirror/record.h"
#include "tracker/describe.h"
#include "tracker/kernel_facts.h"
#include "tracker/roll.h"

namespace roster {

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

void Roll::NoteStart(const roster_membership& slot) {
  const std::optional<roster_record> record = mirror_->Record(slot.handle);
  if (!record) return;
  Container container = ContainerFromRecord(*record, slot);
  ReadCgroup(static_cast<pid_t>(slot.init_pid), &container).IgnoreError();
  if (absl::Status status = mirror_->Update(container); !status.ok()) {
    LogWarning("record not written", {{"id", container.runtime.container_id}, {"error", status}});
  }
  TakeStart(slot, &container);
  (void)mirror_->NoteBound(container);
  TellStart(std::move(container));
}

void Roll::TellStart(Container container) {
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
  Container listed;
  listed.runtime.container_id = living->second;
  TakeMembership(*slot, &listed);
  worker_.Post([this, listed = std::move(listed), slot = *slot] {
    // Not there (any more): it is still being added, and Follow sees it come, or it has ended.
    collection_
        ->UpdateContainer(listed,
                          [&slot](Container* held) {
                            if (held->handle != 0) return false;
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

}  // namespace roster

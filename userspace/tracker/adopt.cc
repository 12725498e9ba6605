// What the tracker finds at its start: the slots that were left to it, and containers that run
// without one.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "log/log.h"
#include "mirror/record.h"
#include "runtime/identify.h"
#include "tracker/slot_truth.h"
#include "tracker/tracker.h"

namespace roster {

void Tracker::Adopt() {
  const size_t repaired = mirror_->Repair();
  size_t restored = 0;
  size_t dropped = 0;
  absl::flat_hash_set<pid_t> known;
  absl::flat_hash_set<std::string> awaited;
  for (uint64_t handle : mirror_->Handles()) {
    const std::optional<roster_membership> slot = mirror_->Slot(handle);
    // Pods stay as long as one of their containers does.
    if (!slot || (slot->flags & (ROSTER_F_JOIN | ROSTER_F_POD)) != 0) continue;
    if (slot->init_pid == 0) {  // armed; its init is still to come
      if (const std::optional<roster_record> record = mirror_->Record(handle)) {
        awaited.insert(ContainerFromRecord(*record, *slot).runtime.container_id);
      }
      continue;
    }
    if (slot->state == ROSTER_ENDED || IsTrue(*slot, mirror_->Birth(handle))) {
      roll_->Restore(handle, *slot);
      restored += slot->state != ROSTER_ENDED;
      // The number of an init that has gone may be another's.
      if (slot->state < ROSTER_EXITING) known.insert(static_cast<pid_t>(slot->init_pid));
    } else {
      mirror_->Drop(handle);
      ++dropped;
    }
  }
  std::vector<Roll::Adopted> adopted;
  for (pid_t pid : FindRunningContainerInits(host_.mntns)) {
    if (known.contains(pid)) continue;
    absl::StatusOr<Roll::Adopted> container = roll_->AdoptRunning(pid, awaited);
    if (container.ok()) {
      adopted.push_back(*std::move(container));
    } else if (!absl::IsAlreadyExists(container.status())) {
      LogDebug("not adopted", {{"pid", pid}, {"reason", container.status()}});
    }
  }
  // The innermost first: what is below a container in a container is the inner one's.
  std::sort(adopted.begin(), adopted.end(), [](const auto& a, const auto& b) {
    return a.cgroup_path.size() > b.cgroup_path.size();
  });
  for (const Roll::Adopted& container : adopted) {
    if (container.cgroup_path.empty()) continue;
    if (absl::Status status = mirror_->EnterChildCgroups(container.handle, container.cgroup_path);
        !status.ok()) {
      LogWarning("child cgroups not entered", {{"path", container.cgroup_path}, {"error", status}});
    }
  }
  absl::StatusOr<uint64_t> tasks = programs_->AdoptTasks();
  if (!tasks.ok()) AddProblem(std::string(tasks.status().message()));
  for (const Roll::Adopted& container : adopted) {
    const std::optional<roster_membership> slot = mirror_->Slot(container.handle);
    if (!slot || HasAnEnd(*slot, mirror_->Birth(container.handle))) continue;
    roll_->Withdraw(container.handle);
    ++dropped;
  }
  LogInfo("adopted", {{"restored", restored},
                      {"found", adopted.size()},
                      {"dropped", dropped},
                      {"repaired", repaired},
                      {"tasks", tasks.ok() ? *tasks : 0}});
}

}  // namespace roster

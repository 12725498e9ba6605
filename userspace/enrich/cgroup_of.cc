#include "enrich/cgroup_of.h"

#include "process/proc_task.h"

namespace roster {

std::string CgroupOf(uint32_t pid, std::string_view proc_root) {
  const absl::StatusOr<ProcTask> task = ProcTask::Open(static_cast<pid_t>(pid), proc_root);
  if (!task.ok()) return "";
  const absl::StatusOr<TaskCgroups> cgroups = task->Cgroups();
  if (!cgroups.ok()) return "";
  return cgroups->v1.empty() ? cgroups->v2 : cgroups->v1;
}

}  // namespace roster

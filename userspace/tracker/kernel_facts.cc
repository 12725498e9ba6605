#include "tracker/kernel_facts.h"

#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "kernel/clock.h"
#include "kernel/errors.h"
#include "kernel/host.h"
#include "process/cgroup_id.h"
#include "process/namespace_ids.h"
#include "process/proc_task.h"

namespace roster {
int64_t StartedAt(const ProcTask& task) {
  const absl::StatusOr<uint64_t> start = task.StartBootTimeNs();
  return start.ok() ? RealTimeOf(*start) : 0;
}

absl::Status ReadCgroup(pid_t pid, Container* container, const std::string& host_root) {
  const std::string root = host_root == "/" ? "" : host_root;
  ROSTER_ASSIGN_OR_RETURN(const ProcTask task, ProcTask::Open(pid, root + "/proc"));
  ROSTER_ASSIGN_OR_RETURN(const TaskCgroups cgroups, task.Cgroups());
  ROSTER_ASSIGN_OR_RETURN(const CgroupHierarchy hierarchy, CgroupMount(root + "/sys/fs/cgroup"));
  container->cgroup_v1 = cgroups.v1 == "/" ? "" : cgroups.v1;
  container->cgroup_v2 = cgroups.v2 == "/" ? "" : cgroups.v2;
  const std::string& path = hierarchy.v2 ? container->cgroup_v2 : container->cgroup_v1;
  if (container->cgroup_v1.empty() && container->cgroup_v2.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("process ", pid, " is in the root of every cgroup hierarchy"));
  }
  if (path.empty()) return absl::OkStatus();
  // As the host sees it.
  container->cgroup_path = hierarchy.mount.substr(root.size()) + path;
  if (container->cgroup_id != 0) return absl::OkStatus();
  ROSTER_ASSIGN_OR_RETURN(container->cgroup_id, CgroupIdOfPath(hierarchy.mount + path));
  return absl::OkStatus();
}

absl::StatusOr<InitIdentity> ReadKernelFacts(pid_t pid, const HostIdentity& host,
                                             Container* container) {
  ROSTER_ASSIGN_OR_RETURN(const ProcTask task, ProcTask::Open(pid));
  InitIdentity init;
  init.pid = pid;
  ROSTER_ASSIGN_OR_RETURN(const Fd mntns, task.OpenNamespace(NamespaceKind::kMnt));
  ROSTER_ASSIGN_OR_RETURN(container->mntns, task.NamespaceInode(NamespaceKind::kMnt));
  ROSTER_ASSIGN_OR_RETURN(container->netns, task.NamespaceInode(NamespaceKind::kNet));
  ROSTER_ASSIGN_OR_RETURN(init.pidns, task.NamespaceInode(NamespaceKind::kPid));
  init.mntns_id = MntnsId(mntns.get());
  container->host_network = container->netns == host.netns;
  if (!container->host_network) {
    ROSTER_ASSIGN_OR_RETURN(const Fd netns, task.OpenNamespace(NamespaceKind::kNet));
    init.netns_cookie = NetnsCookie(netns.get());
  }
  container->runtime.container_pid = static_cast<uint32_t>(pid);
  if (container->runtime.container_started_at == 0) {
    container->runtime.container_started_at = StartedAt(task);
  }
  // A container may be in no cgroup of its own.
  ReadCgroup(pid, container).IgnoreError();
  // All of it was this process's: its directory in /proc was held open.
  ROSTER_RETURN_IF_ERROR(task.StartTimeTicks().status());
  return init;
}

}  // namespace roster

// Options whose enrichers read the process of a container's init.
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "kernel/errors.h"
#include "options/once.h"
#include "process/proc_task.h"
#include "roster/options.h"
#include "tracker/kernel_facts.h"

namespace roster {
namespace {

constexpr pid_t kHostInit = 1;

std::string ProcRoot(const std::string& host_root) {
  return host_root == "/" ? "/proc" : absl::StrCat(host_root, "/proc");
}

pid_t PidOf(const Container& container) {
  return static_cast<pid_t>(container.runtime.container_pid);
}

using Warner = std::function<void(std::string_view)>;

void WarnOf(const Warner& warn, const char* what, const Container& container,
            const absl::Status& status) {
  warn(
      absl::StrCat(what, " of container ", container.runtime.container_id, ": ", status.message()));
}

// The network namespace of the host's init, which not everybody may read; else the process's own.
absl::StatusOr<uint64_t> HostNetns(const std::string& proc) {
  for (const pid_t pid : {kHostInit, getpid()}) {
    const absl::StatusOr<ProcTask> task = ProcTask::Open(pid, proc);
    if (!task.ok()) continue;
    if (const auto netns = task->NamespaceInode(NamespaceKind::kNet); netns.ok()) return *netns;
  }
  return absl::FailedPreconditionError(
      absl::StrCat(proc, ": the host's network namespace cannot be read"));
}

absl::Status FillNamespaces(const std::string& proc, uint64_t host_netns, Container* container) {
  ROSTER_ASSIGN_OR_RETURN(const ProcTask init, ProcTask::Open(PidOf(*container), proc));
  ROSTER_ASSIGN_OR_RETURN(const uint64_t mntns, init.NamespaceInode(NamespaceKind::kMnt));
  ROSTER_ASSIGN_OR_RETURN(const uint64_t netns, init.NamespaceInode(NamespaceKind::kNet));
  container->mntns = mntns;
  container->netns = netns;
  container->host_network = netns == host_netns;
  return absl::OkStatus();
}

}  // namespace

Option WithCgroupEnrichment(const std::string& host_root) {
  return Once("WithCgroupEnrichment", [host_root](CollectionSetup& setup) {
    setup.AddEnricher("cgroup", [host_root, warn = setup.Warner()](Container* container) {
      if (container->runtime.container_pid == 0) return true;
      const absl::Status status = ReadCgroup(PidOf(*container), container, host_root);
      if (!status.ok()) WarnOf(warn, "cgroup", *container, status);
      return true;
    });
    return absl::OkStatus();
  });
}

Option WithLinuxNamespaceEnrichment(const std::string& host_root) {
  return Once("WithLinuxNamespaceEnrichment", [host_root](CollectionSetup& setup) -> absl::Status {
    const std::string proc = ProcRoot(host_root);
    ROSTER_ASSIGN_OR_RETURN(const uint64_t netns, HostNetns(proc));
    setup.AddEnricher("namespaces", [proc, netns, warn = setup.Warner()](Container* container) {
      if (container->runtime.container_pid == 0) return true;
      const absl::Status status = FillNamespaces(proc, netns, container);
      if (!status.ok()) WarnOf(warn, "namespaces", *container, status);
      return true;
    });
    return absl::OkStatus();
  });
}

Option WithProcEnrichment(const std::string& host_root) {
  return Once("WithProcEnrichment", [host_root](CollectionSetup& setup) {
    setup.AddEnricher("proc", [proc = ProcRoot(host_root)](Container* container) {
      if (container->runtime.container_pid == 0) return false;
      const absl::StatusOr<ProcTask> init = ProcTask::Open(PidOf(*container), proc);
      if (!init.ok()) return false;
      const int64_t started_at = StartedAt(*init);
      if (started_at == 0) return false;
      container->runtime.container_started_at = started_at;
      return true;
    });
    return absl::OkStatus();
  });
}

}  // namespace roster

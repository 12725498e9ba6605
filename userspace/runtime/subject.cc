#include "runtime/subject.h"

#include <sys/stat.h>

namespace roster {

uint64_t OwnMntns() {
  struct stat info;
  return stat("/proc/self/ns/mnt", &info) == 0 ? info.st_ino : 0;
}

bool IsPidNamespaceInit(const TaskStatus& status) {
  return status.ns_tgids.size() > 1 && status.ns_tgids.back() == 1;
}

std::optional<CgroupClaim> ClaimOf(const TaskCgroups& cgroups) {
  for (const std::string& path : cgroups.all) {
    if (std::optional<CgroupClaim> claim = ParseCgroupPath(path)) return claim;
  }
  return std::nullopt;
}

std::optional<CgroupClaim> ClaimOf(const ProcTask& task) {
  const absl::StatusOr<TaskCgroups> cgroups = task.Cgroups();
  return cgroups.ok() ? ClaimOf(*cgroups) : std::nullopt;
}

}  // namespace roster

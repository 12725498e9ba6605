// What identify.cc and find_inits.cc both ask of a process.
#ifndef ROSTER_USERSPACE_RUNTIME_SUBJECT_H_
#define ROSTER_USERSPACE_RUNTIME_SUBJECT_H_

#include <cstdint>
#include <optional>

#include "process/proc_task.h"
#include "runtime/cgroup_path.h"

namespace roster {

// The inode of Roster's own mount namespace; 0 when it cannot be read.
uint64_t OwnMntns();

// Whether the process is pid 1 of a pid namespace below Roster's own.
bool IsPidNamespaceInit(const TaskStatus& status);

// The claim of the first of a task's cgroups that makes one.
std::optional<CgroupClaim> ClaimOf(const TaskCgroups& cgroups);
std::optional<CgroupClaim> ClaimOf(const ProcTask& task);

}  // namespace roster

#endif  // ROSTER_USERSPACE_RUNTIME_SUBJECT_H_

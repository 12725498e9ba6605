// KernelFacts is what is read of a container's init to describe the container.
#ifndef ROSTER_USERSPACE_TRACKER_KERNEL_FACTS_H_
#define ROSTER_USERSPACE_TRACKER_KERNEL_FACTS_H_

#include <roster/container.h>
#include <sys/types.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mirror/mirror.h"
#include "process/proc_task.h"

namespace roster {

// Reads the namespaces and the cgroup of process `pid` into `container` (mntns, netns,
// host_network, cgroup fields, pid) and returns what the mirror needs beside. NOT_FOUND when it is
// gone. A cookie costs a short-lived thread.
absl::StatusOr<InitIdentity> ReadKernelFacts(pid_t pid, const HostIdentity& host,
                                             Container* container);

// The cgroup fields alone: they replace what was known, but for a cgroup_id that is there already.
// NOT_FOUND when the process is gone or there is no cgroup hierarchy, FAILED_PRECONDITION for a
// process in the root of every one. `host_root` is where the host's root is mounted.
absl::Status ReadCgroup(pid_t pid, Container* container, const std::string& host_root = "");

// When a process was started, CLOCK_REALTIME in nanoseconds, from the kernel's count of ticks since
// boot; 0 when it is gone.
int64_t StartedAt(const ProcTask& task);

}  // namespace roster

#endif  // ROSTER_USERSPACE_TRACKER_KERNEL_FACTS_H_

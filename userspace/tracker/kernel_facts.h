// KernelFacts is what is read of a container's init to describe the container.
#ifndef ROSTER_USERSPACE_TRACKER_KERNEL_FACTS_H_
#define ROSTER_USERSPACE_TRACKER_KERNEL_FACTS_H_

#include <roster/container.h>
#include <sys/types.h>

#include "absl/status/statusor.h"
#include "mirror/mirror.h"

namespace roster {

// Reads the namespaces and the cgroup of process `pid` into `container` (mntns, netns,
// host_network, cgroup fields, pid) and returns what the mirror needs beside. NOT_FOUND when it is
// gone. A cookie costs a short-lived thread.
absl::StatusOr<InitIdentity> ReadKernelFacts(pid_t pid, const HostIdentity& host,
                                             Container* container);

// The cgroup fields alone.
void ReadCgroup(pid_t pid, Container* container);

// CLOCK_REALTIME in nanoseconds of a moment of CLOCK_BOOTTIME.
int64_t RealTimeOf(uint64_t boot_ns);

}  // namespace roster

#endif  // ROSTER_USERSPACE_TRACKER_KERNEL_FACTS_H_

// HostIdentity is what tells the host from a container: its namespaces, its cgroup hierarchy, its
// boot.
#ifndef ROSTER_USERSPACE_KERNEL_HOST_H_
#define ROSTER_USERSPACE_KERNEL_HOST_H_

#include <array>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace roster {

// include/linux/proc_ns.h: the inode number of the first pid namespace, the same on every machine.
inline constexpr uint64_t kInitialPidNamespace = 0xEFFFFFFC;

struct HostIdentity {
  uint64_t mntns = 0;  // inode numbers
  uint64_t netns = 0;
  uint64_t pidns = 0;
  std::array<uint8_t, 16> boot_id{};
  // roster_abi.cgroup_source, and that hierarchy's number in /proc/self/cgroup (0 is cgroup v2).
  uint32_t cgroup_source = 0;
  uint32_t cgroup_hierarchy = 0;
};

// Takes them from the calling process, which must be in the host's namespaces (/proc/1/ns is not
// readable everywhere); `host_mntns` overrides the mount namespace where it is not 0.
absl::StatusOr<HostIdentity> ReadHostIdentity(uint64_t host_mntns = 0);

}  // namespace roster

#endif  // ROSTER_USERSPACE_KERNEL_HOST_H_

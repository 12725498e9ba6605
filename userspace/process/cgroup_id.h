// The kernel's id of a cgroup directory (what bpf_get_current_cgroup_id returns), and the hierarchy
// used.
#ifndef ROSTER_USERSPACE_PROCESS_CGROUP_ID_H_
#define ROSTER_USERSPACE_PROCESS_CGROUP_ID_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace roster {

// The id of the cgroup at `path` (v1 or v2), by name_to_handle_at: never reused within a boot.
// NOT_FOUND when the directory is gone, INVALID_ARGUMENT when it is on no cgroup file system. One
// system call more than a stat.
absl::StatusOr<uint64_t> CgroupIdOfPath(const std::string& path);

struct CgroupHierarchy {
  std::string mount;  // "/sys/fs/cgroup"
  bool v2 = false;
  std::string controller;  // "" for v2, else "pids", "memory" or "name=systemd": its word in
                           // /proc/<pid>/cgroup
};

// The hierarchy that cgroup ids are taken from: the cgroup2 mount (<root> or <root>/unified, by the
// file system's magic), else the v1 hierarchy of pids, memory or systemd, in this order. NOT_FOUND
// when there is none. `root` is /sys/fs/cgroup but for tests.
absl::StatusOr<CgroupHierarchy> CgroupMount(const std::string& root = "/sys/fs/cgroup");

}  // namespace roster

#endif  // ROSTER_USERSPACE_PROCESS_CGROUP_ID_H_

// ParseCgroupPath finds a container's id in the path of its cgroup.
#ifndef ROSTER_USERSPACE_RUNTIME_CGROUP_PATH_H_
#define ROSTER_USERSPACE_RUNTIME_CGROUP_PATH_H_

#include <optional>
#include <string>
#include <string_view>

namespace roster {

// What a cgroup's path says of the container in it.
struct CgroupClaim {
  std::string id;  // 64 hexadecimal digits
  std::string
      runtime_name;  // "docker", "containerd", "cri-o", "podman"; "": the path does not tell
};

// docker-<id>.scope, docker/<id>, libpod-<id>[.scope], cri-containerd-<id>.scope,
// <slice>:cri-containerd:<id>, crio-<id>[.scope], an <id> anywhere below a component kubepods, and
// /<namespace>/<id> (ctr, nerdctl), at any depth; the innermost one, so that a container's own
// child cgroups do not matter. The cgroups of conmon are none. nullopt: none.
std::optional<CgroupClaim> ParseCgroupPath(std::string_view path);

}  // namespace roster

#endif  // ROSTER_USERSPACE_RUNTIME_CGROUP_PATH_H_

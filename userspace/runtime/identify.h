// IdentifyRunning says which container a process is the init of, for those whose start nobody held.
#ifndef ROSTER_USERSPACE_RUNTIME_IDENTIFY_H_
#define ROSTER_USERSPACE_RUNTIME_IDENTIFY_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/bundle.h"

namespace roster {

struct Identity {
  std::string id;
  std::string name;          // conmon's -n; "" where only the engine knows it
  std::string runtime_name;  // "docker", "containerd", "cri-o", "podman", else ""
  std::string oci_runtime;   // "runc", "crun", ...; ""
  std::string runtime_path;  // of its executable, by what the parent tells or is; ""
  std::string bundle;        // ""
  std::string pid_file;      // ""
  std::optional<Bundle> bundle_contents;
  // What was believed: "state" (a runtime's state directory), "parent" (shim or conmon), "cgroup"
  // (the path).
  std::string source;
};

struct IdentifyOptions {
  // Directories of OCI runtimes' states to search besides those found from the parent; in tests,
  // others.
  std::vector<std::string> state_roots;  // empty: DefaultStateRoots()
  std::string cgroup_root = "/sys/fs/cgroup";
};

// /run/runc, /run/crun, /run/youki, /run/runsc, /run/containerd/{runc,runsc}/<namespace>,
// /run/docker/runtime-<runtime>/<namespace>: those that exist now.
std::vector<std::string> DefaultStateRoots();

// Looks, in order of trust, at the state directories of OCI runtimes, the parent (containerd-shim,
// conmon), and the cgroup's path. Each claim is checked so that an unprivileged user, or a
// container, cannot make one: a state file must belong to root and name this pid and, where it has
// it, this start time; the parent must be root's and in Roster's own mount namespace; a cgroup
// directory must be root's, and the parent outside it. A --root or -r in the parent's arguments is
// honoured. NOT_FOUND when nothing vouches for it, or the process is gone. Costs some tens of
// system calls; with a full search of the state directories one per container.
absl::StatusOr<Identity> IdentifyRunning(pid_t pid, const IdentifyOptions& options = {});

// The processes that look like a container's init: in a mount namespace that is not the caller's
// own (or `host_mntns` when given), and either pid 1 of their pid namespace, or in a container's
// cgroup or below a runtime's monitor while their parent is outside. One pass over /proc, one
// readlink for a process of the host: 30,000 cost about 0.1 s. An empty result also when /proc
// cannot be read.
std::vector<pid_t> FindRunningContainerInits(uint64_t host_mntns = 0);

}  // namespace roster

#endif  // ROSTER_USERSPACE_RUNTIME_IDENTIFY_H_

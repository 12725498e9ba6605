// Monitor is the process above a container's init: a containerd shim, conmon, or the runtime
// itself.
#ifndef ROSTER_USERSPACE_RUNTIME_MONITOR_H_
#define ROSTER_USERSPACE_RUNTIME_MONITOR_H_

#include <optional>
#include <string>
#include <vector>

#include "process/proc_task.h"

namespace roster {

struct Monitor {
  std::string id;             // of the container; a shim serves a whole pod and names the sandbox's
  std::string name;           // conmon's -n
  std::string runtime_name;   // "docker", "containerd"; "" where the monitor does not tell
  std::string oci_runtime;    // ""
  std::string runtime_path;   // of the OCI runtime's executable, absolute; "" where it is not told
  std::string bundle;         // of `id`; ""
  std::string bundle_parent;  // a shim's: directory of the bundles, by id
  std::string pid_file;       // ""
  std::vector<std::string> state_roots;  // where its runtime keeps states, most likely first
};

// What `task` says as a monitor. nullopt when it is none, or when it cannot be trusted: its real
// uid must be root's, and its mount namespace must be `host_mntns`, for a process inside a
// container can call itself anything. Reads the program's name, arguments, working directory and,
// for a shim, options.json there.
std::optional<Monitor> ReadMonitor(const ProcTask& task, uint64_t host_mntns);

// The executable of `task`, where it is a runtime that makes a container just now, by whatever
// name;
// "" where it is none, or not to be trusted as above.
std::string RuntimeAtWork(const ProcTask& task, uint64_t host_mntns);

}  // namespace roster

#endif  // ROSTER_USERSPACE_RUNTIME_MONITOR_H_

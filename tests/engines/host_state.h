// What the tests need to know and change of the host: its mounts, its cgroups, its processes.
#ifndef ROSTER_TESTS_ENGINES_HOST_STATE_H_
#define ROSTER_TESTS_ENGINES_HOST_STATE_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace roster::testing {

// The text of a file of /proc or /sys; empty where it does not exist or its process ends meanwhile.
std::string ReadKernelFile(const std::string& path);

struct Mount {
  std::string mount_point;
  std::string type;
  std::string options;  // of the super block
};

// This mount namespace's mounts, in the order in which they were made.
std::vector<Mount> ListMounts();

// Unmounts everything at or below `directory`, lazily.
absl::Status UnmountBelow(const std::string& directory);

// The directories that `name` has now, one per mounted hierarchy.
std::vector<std::string> CgroupDirectories(const std::string& name);

// Ends the processes in `directory` and below, and removes it. OK where it does not exist.
absl::Status RemoveCgroup(const std::string& directory);

// Processes whose environment has the line `entry` ("NAME=value"); never this process.
std::vector<pid_t> ProcessesWithEnvironment(const std::string& entry);

// SIGKILL, and the wait for their end. A process that is gone already is fine.
absl::Status KillProcesses(const std::vector<pid_t>& pids);

// Mounts what container runtimes and BPF programs need and a bare host may lack: bpffs, tracefs,
// and on a host with v1 cgroups the hugetlb controller, without which crun refuses to start. `made`
// gets the mount points that this call made and that can be undone without harm to others.
absl::Status PrepareHost(std::vector<std::string>* made);

}  // namespace roster::testing

#endif  // ROSTER_TESTS_ENGINES_HOST_STATE_H_

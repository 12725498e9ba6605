// RuntimeState is what an OCI runtime keeps about a container in its state directory (runc, crun,
// youki, runsc).
#ifndef ROSTER_USERSPACE_RUNTIME_RUNTIME_STATE_H_
#define ROSTER_USERSPACE_RUNTIME_RUNTIME_STATE_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace roster {

struct RuntimeState {
  std::string id;
  std::string oci_runtime;  // "runc", "crun" or "runsc" by the file's shape, else "youki"
  std::string bundle;       // "": not held
  pid_t init_pid = 0;
  uint64_t init_start_time_ticks =
      0;                // field 22 of /proc/<pid>/stat; 0: the runtime does not hold it
  pid_t gofer_pid = 0;  // runsc's: serves the container's files, is no container; 0: none
};

// Reads <root>/<id>/state.json (runc, youki), <root>/<id>/status (crun) or
// <root>/<id>_sandbox:<id>.state (runsc: of a sandbox's first container alone, for its others have
// no process of their own). Directory and file must belong to root and nobody else may write them,
// else PERMISSION_DENIED; NOT_FOUND when there is none; INVALID_ARGUMENT when it is not what such a
// file is.
absl::StatusOr<RuntimeState> ReadRuntimeState(const std::string& root, const std::string& id);

// The text of such a file; `crun` says which of the two it is. Separate for its test.
absl::StatusOr<RuntimeState> ParseRuntimeState(std::string_view text, const std::string& id,
                                               bool crun);

// The ids in a state directory, at most 65,536; empty when there is no such directory.
std::vector<std::string> ListRuntimeStates(const std::string& root);

// Whether the process that the state names as init is `pid`, started at `start_time_ticks`.
bool IsInitOf(const RuntimeState& state, pid_t pid, uint64_t start_time_ticks);

}  // namespace roster

#endif  // ROSTER_USERSPACE_RUNTIME_RUNTIME_STATE_H_

// Removal takes away what Roster leaves on a host: pins, socket, state directory.
#ifndef ROSTER_USERSPACE_CLI_REMOVAL_H_
#define ROSTER_USERSPACE_CLI_REMOVAL_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/entries.h"

namespace roster::cli {

// Paths in the order in which they are to be removed: links first, so that no program runs on maps
// half gone.
struct RemovalPlan {
  std::vector<std::string> files;
  std::vector<std::string> directories;  // removed only where empty
};

// What there is to remove; empty where Roster is not installed. FAILED_PRECONDITION, naming the
// file, where the pin directory is not on a BPF file system or has something that Roster does not
// make: then it is not Roster's, and nothing of it is touched. Of the state directory only the
// files that Roster makes are taken.
absl::StatusOr<RemovalPlan> PlanRemoval(const Paths& paths);

// Removes what it can; the error names what it could not.
absl::Status Remove(const RemovalPlan& plan);

}  // namespace roster::cli

#endif  // ROSTER_USERSPACE_CLI_REMOVAL_H_

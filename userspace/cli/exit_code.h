// ExitCode is what the program ends with; documented in --help.
#ifndef ROSTER_USERSPACE_CLI_EXIT_CODE_H_
#define ROSTER_USERSPACE_CLI_EXIT_CODE_H_

#include "absl/status/status.h"

namespace roster::cli {

enum ExitCode : int {
  kExitOk = 0,
  kExitError = 1,
  kExitUsage = 2,     // an argument that cannot be understood
  kExitNotFound = 3,  // nobody of that name
};

inline ExitCode ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return kExitOk;
    case absl::StatusCode::kInvalidArgument:
      return kExitUsage;
    case absl::StatusCode::kNotFound:
      return kExitNotFound;
    default:
      return kExitError;
  }
}

}  // namespace roster::cli

#endif  // ROSTER_USERSPACE_CLI_EXIT_CODE_H_

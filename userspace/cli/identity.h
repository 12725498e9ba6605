// ParseIdentity reads what a user may write for a namespace, a cgroup or a process.
#ifndef ROSTER_USERSPACE_CLI_IDENTITY_H_
#define ROSTER_USERSPACE_CLI_IDENTITY_H_

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"

namespace roster::cli {

// All: INVALID_ARGUMENT names the flag and the text.
// 1 to 2^31-1.
absl::StatusOr<int> ParsePid(std::string_view text);
// "4026531841", or "mnt:[4026531841]" as readlink shows it. `kind` is "mnt" or "net".
absl::StatusOr<uint64_t> ParseNamespace(std::string_view kind, std::string_view text);
// A number, or an absolute path of a cgroup's directory (NOT_FOUND where there is none).
absl::StatusOr<uint64_t> ParseCgroup(std::string_view text);

}  // namespace roster::cli

#endif  // ROSTER_USERSPACE_CLI_IDENTITY_H_

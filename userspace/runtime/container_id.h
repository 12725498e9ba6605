// ValidateContainerId says whether a word can be the id of a container.
#ifndef ROSTER_USERSPACE_RUNTIME_CONTAINER_ID_H_
#define ROSTER_USERSPACE_RUNTIME_CONTAINER_ID_H_

#include <string_view>

#include "absl/status/status.h"

namespace roster {

inline constexpr size_t kMaxContainerIdBytes = 1024;

// OK for 1 to 1,024 characters of [A-Za-z0-9_+.-] other than "." and "..", the rule of runc and
// crun; the length is that of runc, crun and containerd put together (they stop at 255 by the file
// system, or at 1,024). Otherwise INVALID_ARGUMENT with the id escaped and shortened.
absl::Status ValidateContainerId(std::string_view id);

}  // namespace roster

#endif  // ROSTER_USERSPACE_RUNTIME_CONTAINER_ID_H_

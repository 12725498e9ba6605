// Once makes an option that may be given only once.
#ifndef ROSTER_USERSPACE_OPTIONS_ONCE_H_
#define ROSTER_USERSPACE_OPTIONS_ONCE_H_

#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "roster/option.h"

namespace roster {

// An option that would undo its own first use, or do the same work twice.
inline Option Once(const char* name, std::function<absl::Status(CollectionSetup&)> apply) {
  return Option(name, [name, apply = std::move(apply)](CollectionSetup& setup) -> absl::Status {
    if (setup.Has(name)) return absl::InvalidArgumentError("is given twice");
    return apply(setup);
  });
}

// Claimed by options that name engines to ask.
inline constexpr char kNamesEngines[] = "engines to ask";

}  // namespace roster

#endif  // ROSTER_USERSPACE_OPTIONS_ONCE_H_

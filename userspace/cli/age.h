// HumanAge says how long ago something was, as briefly as a table needs it.
#ifndef ROSTER_USERSPACE_CLI_AGE_H_
#define ROSTER_USERSPACE_CLI_AGE_H_

#include <string>

#include "absl/time/time.h"

namespace roster::cli {

// "0s", "59s", "1m30s", "10m", "2h5m", "10h", "2d3h", "400d": two units while the first has one
// digit. A time that lies ahead, as after the clock was set back, is "0s".
std::string HumanAge(absl::Duration age);

}  // namespace roster::cli

#endif  // ROSTER_USERSPACE_CLI_AGE_H_

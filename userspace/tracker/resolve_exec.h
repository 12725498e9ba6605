// ResolveExec says what a held runtime is about to do, from its own memory and files.
#ifndef ROSTER_USERSPACE_TRACKER_RESOLVE_EXEC_H_
#define ROSTER_USERSPACE_TRACKER_RESOLVE_EXEC_H_

#include <roster/container.h>
#include <sys/types.h>

#include <string>
#include <string_view>
#include <variant>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "kernel/fd.h"
#include "kernel/held_calls.h"
#include "runtime/command_line.h"
#include "runtime/oci_spec.h"

namespace roster {

// A container that is about to be made.
struct PreparedCreate {
  CreateIntent intent;
  Container container;  // id, bundle, config, and what the config's annotations tell
  OciSpec spec;
  bool sandbox = false;
  // Where the pid file will be, relative to `pid_base`; empty: none is asked for.
  Fd pid_base;
  std::string pid_directory;
  std::string pid_basename;
};

// monostate: there is nothing to prepare for.
using ResolvedExec = std::variant<std::monostate, PreparedCreate, JoinIntent, ConmonIntent>;

// `tid` is held by FAN_OPEN_EXEC_PERM on an executable called `exe_basename`. Some 100 us: system
// calls and a read of config.json; never blocks.
// `calls`, which may be nullptr, see ReadHeldExec. `is_prepared` is asked at most once, by the
// caller's thread: a container for which it holds is not made anew, nor its bundle read again.
//   UNAVAILABLE        its arguments cannot be read yet: ask again
//   PERMISSION_DENIED  it is not root's: what it says is not believed
//   other errors       name what is wrong with the arguments, the bundle or config.json
absl::StatusOr<ResolvedExec> ResolveExec(
    pid_t tid, std::string_view exe_basename, const HeldCalls* calls,
    absl::FunctionRef<bool(const std::string& id)> is_prepared);

}  // namespace roster

#endif  // ROSTER_USERSPACE_TRACKER_RESOLVE_EXEC_H_

// ParseCommandLine turns the argv of a container runtime, or of conmon, into what it is about to
// do.
#ifndef ROSTER_USERSPACE_RUNTIME_COMMAND_LINE_H_
#define ROSTER_USERSPACE_RUNTIME_COMMAND_LINE_H_

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"

namespace roster {

// create, run or restore: a container is about to be made.
struct CreateIntent {
  std::string runtime;  // "runc", "crun", "youki", "runsc", else the executable's basename
  std::string id;       // valid as ValidateContainerId has it
  std::string
      bundle;  // as given, relative to the caller's working directory; "": that directory itself
  std::string pid_file;  // as given; "": none
  std::string root;      // --root as given; "": the runtime's default
  std::string config;    // crun's --config, instead of config.json; "": not given
  bool systemd_cgroup = false;
  bool run = false;  // run or restore: started at once; false: create, a `start` follows
  bool restore = false;
  bool detach = false;

  bool operator==(const CreateIntent&) const = default;
};

// exec: a process is about to join a container that exists.
struct JoinIntent {
  std::string runtime;
  std::string id;
  std::string root;

  bool operator==(const JoinIntent&) const = default;
};

// conmon, which will call `runtime` to create the container.
struct ConmonIntent {
  std::string name;  // "" when not given
  std::string id;
  std::string bundle;
  std::string pid_file;  // -p, --container-pidfile; "" when not given
  std::string runtime;   // path of the OCI runtime
  std::string root;      // from --runtime-arg --root=...; "" when not given

  bool operator==(const ConmonIntent&) const = default;
};

// monostate: nothing that makes or enters a container (init, state, delete, start, kill, features,
// --help...).
using Intent = std::variant<std::monostate, CreateIntent, JoinIntent, ConmonIntent>;

// `exe_basename` is the last component of the executable's path, `argv` includes argv[0] (which is
// not looked at: runc calls itself "runc init" or by /proc/self/exe). "docker-runc", "runc-1.2" and
// the like count as the runtime that they name; anything else is read with runc's grammar. Options
// before and after the sub-command, in every spelling that the runtime takes; an option that is not
// known does not shift the id, which is the last word for create, run and restore.
// INVALID_ARGUMENT, naming what is wrong, for a create, run, restore or exec without an id, with
// one that is not valid, or where an option lacks its value. Pure; bounded by argv's size; bytes
// that are no UTF-8 are kept in paths and escaped in messages.
absl::StatusOr<Intent> ParseCommandLine(std::string_view exe_basename,
                                        const std::vector<std::string>& argv);

// "runc", "crun", "youki", "runsc" or "conmon" when `exe_basename` names one, else "".
std::string_view KnownRuntime(std::string_view exe_basename);

}  // namespace roster

#endif  // ROSTER_USERSPACE_RUNTIME_COMMAND_LINE_H_

// Any bytes as a pid file, as a cgroup path and as the files of /proc that are parsed.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "process/held_exec.h"
#include "process/proc_task.h"
#include "runtime/cgroup_path.h"
#include "runtime/pid_file.h"
#include "runtime/runtime_state.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<pid_t> pid = roster::ParsePid(text);
  if (pid.ok() && (*pid < 1 || *pid > 4194304 || size > roster::kMaxPidFileBytes)) abort();
  const auto claim = roster::ParseCgroupPath(text);
  if (claim.has_value() && claim->id.size() != 64) abort();
  roster::ParseCgroupFile(text);
  (void)roster::ParseStatFields(text);
  (void)roster::ParseSyscallFile(text);
  for (const bool crun : {false, true}) {
    const absl::StatusOr<roster::RuntimeState> state = roster::ParseRuntimeState(text, "x", crun);
    if (state.ok() && state->init_pid <= 0) abort();
  }
  return 0;
}

// Is the caller root with the capabilities that Roster uses, and may it read held tasks.
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "cli/doctor/check.h"

namespace roster::cli {

Check CheckPrivileges() {
  Check check{.name = "privileges"};
  __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[2] = {};
  if (syscall(SYS_capget, &header, data) != 0) {
    check.verdict = Verdict::kWarning;
    check.detail = "capabilities cannot be read";
    return check;
  }
  const uint64_t effective = static_cast<uint64_t>(data[1].effective) << 32 | data[0].effective;
  static constexpr struct {
    int number;
    const char* name;
    const char* use;
  } kNeeded[] = {{CAP_SYS_ADMIN, "CAP_SYS_ADMIN", "fanotify permission events, namespaces"},
                 {CAP_BPF, "CAP_BPF", "maps and programs"},
                 {CAP_PERFMON, "CAP_PERFMON", "tracing programs"},
                 {CAP_SYS_PTRACE, "CAP_SYS_PTRACE", "reading a held runtime's arguments"},
                 {CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH", "bundles of other users"}};
  std::string missing;
  for (const auto& capability : kNeeded) {
    // CAP_SYS_ADMIN includes the two that were split off from it.
    const bool covered = (capability.number == CAP_BPF || capability.number == CAP_PERFMON) &&
                         (effective >> CAP_SYS_ADMIN & 1) != 0;
    if ((effective >> capability.number & 1) != 0 || covered) continue;
    absl::StrAppend(&missing, missing.empty() ? "" : ", ", capability.name, " (", capability.use,
                    ")");
  }
  if (geteuid() != 0 || !missing.empty()) {
    check.verdict = Verdict::kFailure;
    check.detail = absl::StrCat("user ", geteuid(), missing.empty() ? "" : ", without ", missing);
    check.advice = "run as root; in a container, privileged";
    return check;
  }
  check.detail = "root, with every capability that is used";
  return check;
}

Check CheckPtrace() {
  Check check{.name = "ptrace scope"};
  std::ifstream file("/proc/sys/kernel/yama/ptrace_scope");
  int scope = 0;
  if (!(file >> scope)) {
    check.detail = "not restricted";
    return check;
  }
  check.detail = absl::StrCat("kernel.yama.ptrace_scope is ", scope);
  if (scope >= 3) {
    check.verdict = Verdict::kWarning;
    check.detail +=
        ": arguments of a held runtime cannot be read; containers are named after their start";
    check.advice = "set it to 2 or less (needs a reboot), or accept late names";
  }
  return check;
}

}  // namespace roster::cli

// Is the kernel new enough, and does it describe its types.
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "cli/doctor/check.h"

namespace roster::cli {

Check CheckKernelVersion() {
  Check check{.name = "kernel"};
  utsname name = {};
  int major = 0;
  int minor = 0;
  if (uname(&name) != 0 || sscanf(name.release, "%d.%d", &major, &minor) != 2) {
    check.verdict = Verdict::kWarning;
    check.detail = "the version cannot be read";
    return check;
  }
  check.detail = absl::StrCat(name.release, " ", name.machine);
  if (major < 6 || (major == 6 && minor < 1)) {
    check.verdict = Verdict::kFailure;
    check.detail += ": older than 6.1, the oldest that Roster is tested with";
    check.advice = "install a kernel of 6.1 or newer";
  }
  return check;
}

Check CheckBtf() {
  Check check{.name = "BTF"};
  if (access("/sys/kernel/btf/vmlinux", R_OK) == 0) {
    check.detail = "/sys/kernel/btf/vmlinux";
    return check;
  }
  check.verdict = Verdict::kFailure;
  check.detail = "/sys/kernel/btf/vmlinux cannot be read: no program of Roster's can be loaded";
  check.advice = "use a kernel built with CONFIG_DEBUG_INFO_BTF=y; is /sys mounted?";
  return check;
}

}  // namespace roster::cli

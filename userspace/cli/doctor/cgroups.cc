// Which cgroup hierarchies there are.
#include <linux/magic.h>
#include <sys/vfs.h>

#include "cli/doctor/check.h"

namespace roster::cli {
namespace {

bool IsCgroup2(const char* path) {
  struct statfs status = {};
  return statfs(path, &status) == 0 && status.f_type == CGROUP2_SUPER_MAGIC;
}

}  // namespace

Check CheckCgroups() {
  Check check{.name = "cgroups"};
  struct statfs status = {};
  if (IsCgroup2("/sys/fs/cgroup")) {
    check.detail = "version 2";
  } else if (IsCgroup2("/sys/fs/cgroup/unified")) {
    check.detail = "hybrid: version 2 at /sys/fs/cgroup/unified, controllers in version 1";
  } else if (statfs("/sys/fs/cgroup", &status) == 0) {
    check.verdict = Verdict::kInfo;
    check.detail =
        "version 1 only: cgroup ids in the pins are those of a version 1 hierarchy "
        "(roster_abi.cgroup_source)";
  } else {
    check.verdict = Verdict::kWarning;
    check.detail = "/sys/fs/cgroup is not mounted";
    check.advice = "mount -t cgroup2 cgroup2 /sys/fs/cgroup";
  }
  return check;
}

}  // namespace roster::cli

// Does the caller see the host's processes, and does the kernel tell the ids of namespaces.
#include <fcntl.h>
#include <sys/stat.h>

#include "absl/strings/str_cat.h"
#include "cli/doctor/check.h"
#include "kernel/fd.h"
#include "kernel/host.h"
#include "process/namespace_ids.h"

namespace roster::cli {

Check CheckPidNamespace() {
  Check check{.name = "pid namespace"};
  struct stat status = {};
  if (stat("/proc/self/ns/pid", &status) != 0) {
    check.verdict = Verdict::kFailure;
    check.detail = "/proc/self/ns/pid cannot be read";
    check.advice = "mount -t proc proc /proc";
    return check;
  }
  if (status.st_ino == kInitialPidNamespace) {
    check.detail = "the host's";
    return check;
  }
  check.verdict = Verdict::kWarning;
  check.detail = absl::StrCat("pid:[", status.st_ino,
                              "] is not the host's: held runtimes cannot be told apart by "
                              "their process id");
  check.advice = "run in the host's pid namespace (docker run --pid=host, hostPID: true)";
  return check;
}

Check CheckNamespaceIds() {
  Check check{.name = "namespace ids"};
  const Fd fd(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
  if (fd.valid() && MntnsId(fd.get()) != 0) {
    check.detail = "the kernel tells a mount namespace's never-reused id";
    return check;
  }
  check.verdict = Verdict::kInfo;
  check.detail =
      "the kernel does not tell userspace a mount namespace's never-reused id (6.11 does); its own "
      "programs compare it all the same";
  return check;
}

}  // namespace roster::cli

// Can a runtime's exec be held.
#include <fcntl.h>
#include <sys/fanotify.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "cli/doctor/check.h"
#include "kernel/fd.h"

namespace roster::cli {
namespace {

constexpr char kWithout[] =
    ": runtimes are not held; containers are seen by the kernel hook and named afterwards";

}  // namespace

Check CheckFanotify() {
  Check check{.name = "fanotify"};
  const Fd group(fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_NONBLOCK |
                                   FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS | FAN_REPORT_TID,
                               O_RDONLY | O_LARGEFILE | O_CLOEXEC));
  if (!group.valid()) {
    check.verdict = Verdict::kWarning;
    check.detail = absl::StrCat("fanotify_init: ", strerror(errno), kWithout);
    check.advice = errno == EMFILE   ? "raise fs.fanotify.max_user_groups"
                   : errno == EPERM  ? "run as root with CAP_SYS_ADMIN"
                   : errno == ENOSYS ? "use a kernel with CONFIG_FANOTIFY"
                                     : "";
    return check;
  }
  // A file of our own, so that nobody is held by trying.
  char path[] = "/tmp/roster-doctor-XXXXXX";
  const Fd file(mkstemp(path));
  if (!file.valid()) {
    check.verdict = Verdict::kWarning;
    check.detail = absl::StrCat("permission events were not tried: ", path, ": ", strerror(errno));
    return check;
  }
  const int marked = fanotify_mark(group.get(), FAN_MARK_ADD, FAN_OPEN_EXEC_PERM, AT_FDCWD, path);
  const int error = errno;
  unlink(path);
  if (marked != 0) {
    check.verdict = Verdict::kWarning;
    check.detail = absl::StrCat("FAN_OPEN_EXEC_PERM: ", strerror(error), kWithout);
    check.advice = "use a kernel with CONFIG_FANOTIFY_ACCESS_PERMISSIONS";
    return check;
  }
  check.detail = "execs can be held";
  return check;
}

}  // namespace roster::cli

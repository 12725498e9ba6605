// Which container runtimes are where Roster looks for them.
#include <sys/stat.h>

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/doctor/check.h"
#include "hook/runtime_marks.h"

namespace roster::cli {

Checks CheckRuntimes() {
  std::string found;
  std::set<std::pair<dev_t, ino_t>> seen;  // /bin may be /usr/bin
  for (const std::string& path : KnownRuntimePaths()) {
    struct stat status = {};
    if (stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    if (!seen.insert({status.st_dev, status.st_ino}).second) continue;
    absl::StrAppend(&found, found.empty() ? "" : ", ", path);
  }
  if (!found.empty()) return {{.name = "runtimes", .detail = found}};
  return {{.name = "runtimes",
           .verdict = Verdict::kInfo,
           .detail = "none at the known paths; others are learned when the kernel sees their first "
                     "container"}};
}

}  // namespace roster::cli

#include "integration/zombies.h"

#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "process/proc_task.h"
#include "process/task_end.h"

namespace roster::testing {

std::string DescribeZombies() {
  std::vector<std::string> zombies;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    pid_t pid = 0;
    if (!absl::SimpleAtoi(entry.path().filename().string(), &pid) || !HasEnded(pid)) continue;
    const absl::StatusOr<ProcTask> task = ProcTask::Open(pid);
    if (!task.ok()) continue;
    const pid_t parent = task->ParentPid().value_or(0);
    const absl::StatusOr<ProcTask> parents = ProcTask::Open(parent);
    zombies.push_back(absl::StrCat(task->Comm().value_or("?"), " (", pid, ", child of ",
                                   parents.ok() ? parents->Comm().value_or("?") : "?", " (", parent,
                                   "))"));
  }
  return zombies.empty() ? "none" : absl::StrJoin(zombies, ", ");
}

}  // namespace roster::testing

#include "process/task_end.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "process/proc_task.h"

namespace roster {

bool HasEnded(pid_t tid) {
  constexpr size_t kFlags = 9 - 3;    // proc(5) counts from 1, the parsed fields from the third
  constexpr uint64_t kExiting = 0x4;  // PF_EXITING of the kernel's include/linux/sched.h
  const absl::StatusOr<ProcTask> task = ProcTask::Open(tid);
  // What cannot be read has not been seen to end: there may be no descriptor left.
  if (!task.ok()) return absl::IsNotFound(task.status());
  const absl::StatusOr<std::string> text = task->ReadFile("stat");
  if (!text.ok()) return absl::IsNotFound(text.status());
  if (text->empty()) return true;
  const absl::StatusOr<std::vector<std::string>> fields = ParseStatFields(*text);
  uint64_t flags = 0;
  if (!fields.ok() || fields->size() <= kFlags || !absl::SimpleAtoi((*fields)[kFlags], &flags)) {
    return false;
  }
  return (flags & kExiting) != 0;
}

}  // namespace roster

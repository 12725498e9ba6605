// HeldExec is the execve that a task is blocked in: file name and arguments, read from its memory.
#ifndef ROSTER_USERSPACE_PROCESS_HELD_EXEC_H_
#define ROSTER_USERSPACE_PROCESS_HELD_EXEC_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "kernel/held_calls.h"

namespace roster {

inline constexpr size_t kMaxHeldWords = 4096;
inline constexpr size_t kMaxHeldBytes = 1 << 20;

struct HeldExec {
  std::string filename;           // as given to execve; "" for execveat with AT_EMPTY_PATH
  std::vector<std::string> argv;  // bytes as they are; argv[0] included
  bool truncated =
      false;  // more than kMaxHeldWords words or kMaxHeldBytes bytes: what was read is kept
};

// Reads the execve or execveat that task `tid` is held in by FAN_OPEN_EXEC_PERM, where the new
// memory image does not have the arguments yet: /proc/<tid>/syscall has number and registers,
// process_vm_readv(2) the vector and the strings. About 30 us; never blocks. Of a task that is not
// asleep, for it has just been read or was woken by the answer to another's hold, only `calls`,
// where given, can tell.
//   UNAVAILABLE          the task is not asleep ("running"), and `calls` does not know: ask again,
//                        by time
//   FAILED_PRECONDITION  it is in another system call (or in a 32-bit one)
//   NOT_FOUND            it is gone
//   PERMISSION_DENIED    ptrace access is refused (Yama's ptrace_scope 3, another user namespace)
//   INVALID_ARGUMENT     its pointers lead nowhere (execve will fail with EFAULT)
// The memory belongs to the task: a thread that shares it may change it afterwards, so what is
// returned is no promise about what the kernel then executes.
absl::StatusOr<HeldExec> ReadHeldExec(pid_t tid, const HeldCalls* calls = nullptr);

// The text of /proc/<tid>/syscall; separate for its test.
struct HeldSyscall {
  uint64_t number = 0;
  uint64_t args[6] = {};
};
absl::StatusOr<HeldSyscall> ParseSyscallFile(std::string_view text);

// Reads file name and vector at the given addresses of task `pid`.
absl::StatusOr<HeldExec> ReadExecArguments(pid_t pid, uint64_t filename, uint64_t argv);

}  // namespace roster

#endif  // ROSTER_USERSPACE_PROCESS_HELD_EXEC_H_

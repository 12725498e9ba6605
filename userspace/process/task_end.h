// Whether a task has come to its end.
#ifndef ROSTER_USERSPACE_PROCESS_TASK_END_H_
#define ROSTER_USERSPACE_PROCESS_TASK_END_H_

#include <sys/types.h>

namespace roster {

// Whether task `tid` (in the caller's pid namespace; a thread too) is gone, or has begun to exit
// and executes nothing of its own any more, as a zombie does. Two system calls more than opening a
// file.
bool HasEnded(pid_t tid);

}  // namespace roster

#endif  // ROSTER_USERSPACE_PROCESS_TASK_END_H_

// RunKeeper is the main function of the keeper process.
#ifndef ROSTER_USERSPACE_HOOK_KEEPER_PROCESS_H_
#define ROSTER_USERSPACE_HOOK_KEEPER_PROCESS_H_

#include <sys/resource.h>

#include <cstddef>

#include "hook/hold_reader.h"

namespace roster {

// What the keeper works with. It is a copy of the daemon's, in its own address space; the fds are
// shared.
struct KeeperArguments {
  HoldReader* reader;
  int fanotify_fd;
  int daemon_pidfd;
  rlim_t fd_limit;  // its own soft RLIMIT_NOFILE, above the daemon's
  void* stack;
  size_t stack_size;
  HoldQueue* queue;
};

// Called in the child of clone(CLONE_FILES), with all signals blocked; returns the exit status.
// Ends when the daemon has died (after allowing everything) or the group is closed.
// Async-signal-safe throughout.
int RunKeeper(void* keeper_arguments);

}  // namespace roster

#endif  // ROSTER_USERSPACE_HOOK_KEEPER_PROCESS_H_

// Where an open file is.
#ifndef ROSTER_USERSPACE_KERNEL_FD_PATH_H_
#define ROSTER_USERSPACE_KERNEL_FD_PATH_H_

#include <string>

namespace roster {

// The path of the descriptor's file as the kernel names it, which may end in " (deleted)"; "" where
// /proc does not tell. Thread-safe.
std::string PathOfFd(int fd);

}  // namespace roster

#endif  // ROSTER_USERSPACE_KERNEL_FD_PATH_H_

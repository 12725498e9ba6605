// LivingWriter says whether the daemon that roster_abi names is at work.
#ifndef ROSTER_USERSPACE_KERNEL_LIVING_WRITER_H_
#define ROSTER_USERSPACE_KERNEL_LIVING_WRITER_H_

#include <signal.h>
#include <sys/types.h>

#include <cerrno>
#include <cstdint>

#include "kernel/clock.h"
#include "roster_abi.h"

namespace roster {

// Its pid; 0: it has stopped cleanly, has not written its heartbeat for three seconds or, where
// `own_pidns`, the inode number of the caller's pid namespace, is the host's, does not exist.
inline pid_t LivingWriter(const roster_abi& abi, uint64_t own_pidns) {
  constexpr uint64_t kLongestPauseNs = 3'000'000'000;
  const auto pid = static_cast<pid_t>(abi.daemon_pid);
  if (pid == 0) return 0;
  const uint64_t now = BootTimeNs();
  if (now > abi.heartbeat_ns && now - abi.heartbeat_ns > kLongestPauseNs) return 0;
  const bool gone =
      own_pidns != 0 && abi.host_pidns == own_pidns && kill(pid, 0) != 0 && errno == ESRCH;
  return gone ? 0 : pid;
}

}  // namespace roster

#endif  // ROSTER_USERSPACE_KERNEL_LIVING_WRITER_H_

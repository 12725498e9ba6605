#include "hook/keeper_process.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "kernel/clock.h"

namespace roster {
namespace {

// Deadlines are looked at again after so many events.
constexpr int kReadBudget = 64;

// Each of these makes the keeper more dependable and none is necessary: failures are ignored.
void SettleIn(const KeeperArguments& arguments) {
  prctl(PR_SET_NAME, "roster-keeper");
  // Out of the daemon's process group: what stops that group must not stop the keeper.
  setsid();
  setpriority(PRIO_PROCESS, 0, -10);
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = arguments.fd_limit;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  mlock(arguments.stack, arguments.stack_size);
  mlock(arguments.queue, sizeof(*arguments.queue));
}

timespec Until(uint64_t deadline, uint64_t now) {
  const uint64_t left = deadline > now ? deadline - now : 0;
  timespec result;
  result.tv_sec = static_cast<time_t>(left / 1'000'000'000);
  result.tv_nsec = static_cast<long>(left % 1'000'000'000);
  return result;
}

}  // namespace

int RunKeeper(void* keeper_arguments) {
  const KeeperArguments& arguments = *static_cast<const KeeperArguments*>(keeper_arguments);
  HoldReader& reader = *arguments.reader;
  SettleIn(arguments);
  pollfd fds[2] = {{arguments.daemon_pidfd, POLLIN, 0}, {arguments.fanotify_fd, POLLIN, 0}};
  while (true) {
    const uint64_t now = MonotonicNs();
    reader.ExpireDue(now);
    const uint64_t deadline = reader.NextDeadline();
    const timespec timeout = Until(deadline, now);
    if (ppoll(fds, 2, deadline == HoldReader::kNoDeadline ? nullptr : &timeout, nullptr) < 0)
      continue;
    if (fds[0].revents != 0) {
      reader.AllowEverything();
      return 0;
    }
    if (fds[1].revents & POLLNVAL) return 1;
    if ((fds[1].revents & POLLIN) && reader.ReadEvents(kReadBudget) == HoldReader::Result::kBroken)
      return 1;
  }
}

}  // namespace roster

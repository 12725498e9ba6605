// Keeper bounds the time for which fanotify holds a runtime, with a small process beside the
// daemon.
//
//   ROSTER_ASSIGN_OR_RETURN(FanotifyGroup group, FanotifyGroup::Create());
//   ROSTER_ASSIGN_OR_RETURN(std::unique_ptr<Keeper> keeper, Keeper::Start(group.fd(), {}));
//   loop.Add(keeper->fd(), EPOLLIN, [&] {
//     keeper->Dispatch([&](const HeldEvent& event) {
//       ... if (!event.already_released) keeper->Release(event.number);   // now or later, from any
//       thread
//     });
//   });
//
// The keeper process shares the daemon's fd table (CLONE_FILES without CLONE_VM), is the only
// reader of the group, and answers FAN_ALLOW itself when the deadline of an event passes or the
// daemon dies. The daemon replaces a keeper that died or was stopped, and reads the group itself
// while none can be started.
//
// Consequences of the shared table, for the whole daemon:
//   - Start lowers the process's soft RLIMIT_NOFILE below the hard one (raising it first where it
//   was lower):
//     the difference is reserved for the keeper, for a reader that is out of fds makes the kernel
//     deny an exec. Do not raise it afterwards.
//   - execve of the daemon's own image is not supported while a Keeper exists.
//   - A forked child that does not exec keeps the group open, and with it the holds.
#ifndef ROSTER_USERSPACE_HOOK_KEEPER_H_
#define ROSTER_USERSPACE_HOOK_KEEPER_H_

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "hook/fd_reserve.h"
#include "hook/hold_consumer.h"
#include "hook/hold_queue.h"
#include "kernel/fd.h"

namespace roster {

class HoldReader;

struct KeeperOptions {
  // The longest hold. At least 1 ms.
  absl::Duration deadline = absl::Milliseconds(100);
  // Events held at once; later ones are allowed at once and counted. 1 to kMaxHoldCapacity; made
  // smaller where the hard RLIMIT_NOFILE cannot reserve as many fds.
  uint32_t capacity = kMaxHoldCapacity;
  // A keeper that dies within this time of its start died at once. After five such in a row the
  // daemon reads the group itself for a second, or it would do nothing but start keepers.
  absl::Duration quick_death = absl::Milliseconds(10);
};

// Counters since Start; all of them only grow, except `holding`.
struct KeeperStats {
  uint64_t reads = 0;          // events read from the group
  uint64_t holds = 0;          // events held for the daemon's answer
  uint64_t expired = 0;        // released by the keeper instead of the daemon (fast ones included)
  uint64_t fast_released = 0;  // of these: without waiting, because the daemon showed no life
  uint64_t rescued = 0;        // of these: the daemon stopped between deciding and answering
  uint64_t overflow = 0;       // FAN_Q_OVERFLOW: the kernel lost events
  uint64_t table_full = 0;     // allowed at once and never reported: no slot
  uint64_t own_reads = 0;      // accesses by the daemon's own threads, allowed at once
  uint64_t read_errors = 0;    // reads of the group that failed; the kernel denies such an event
  uint64_t fd_pressure = 0;    // of expired: because the fd table was nearly full
  uint64_t keeper_restarts = 0;  // keepers that died or stopped and were replaced
  uint64_t fds_leaked = 0;       // event fds left open because a keeper died while closing them
  uint64_t holding = 0;          // slots in use now
  bool daemon_reads = false;     // no keeper could be started: the daemon reads the group itself
};

// Thread-compatible: use it from one thread (the event loop's), except Release, IsHeld, Borrow and
// Stats, which any thread may call.
class Keeper {
 public:
  // Starts the keeper for a non-blocking group (FAN_NONBLOCK) with FAN_REPORT_TID. `fanotify_fd`
  // must stay open for the Keeper's lifetime. Errors: INVALID_ARGUMENT for the options, or what
  // clone, mmap, eventfd, timerfd, epoll or setrlimit answered.
  static absl::StatusOr<std::unique_ptr<Keeper>> Start(int fanotify_fd, KeeperOptions options);

  // Ends the keeper and allows everything held and readable. Close the group right afterwards:
  // nobody reads it.
  ~Keeper();
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  // Readable (level-triggered) when Dispatch should be called. Owned by the Keeper.
  int fd() const { return epoll_.get(); }

  // Calls `on_event` for each event not seen yet, oldest first; replaces a dead or stopped keeper.
  // Does not block, except for at most about 100 ms while it replaces a keeper. At most 256 events
  // a call; fd() stays readable when there are more.
  void Dispatch(absl::FunctionRef<void(const HeldEvent&)> on_event);

  // Takes the next event; false when there is none. Dispatch is what an event loop wants.
  bool Next(HeldEvent* event);

  // Allows a held event and closes its fd. False when the keeper did so already (the deadline
  // passed) or the number is not held. Each event that came with already_released == false must be
  // released exactly once, also past its deadline: that frees its slot. Two system calls; never
  // blocks.
  bool Release(uint64_t number);

  // Whether the event is still held; it may be let go the moment after. No system call.
  bool IsHeld(uint64_t number) const;

  // A duplicate of a held event's fd. Use this to read the file: the keeper closes the event's own
  // fd at the deadline, and its number may then mean another file. NOT_FOUND when the event is not
  // held any more.
  absl::StatusOr<Fd> Borrow(uint64_t number);

  KeeperStats Stats() const;

  // The keeper's pid and pidfd; 0 and -1 while the daemon reads itself.
  pid_t pid() const { return pid_; }
  int keeper_pidfd() const { return pidfd_.get(); }

  // Ends the keeper, if it runs, adopts what it held and starts another. Dispatch does this by
  // itself. On an error the daemon reads the group, in Dispatch, and tries again every second; so
  // it does when keepers keep dying at once.
  absl::Status Restart();

 private:
  Keeper(int fanotify_fd, KeeperOptions options);
  absl::Status Initialize();
  absl::Status Watch(int fd, uint32_t events, uint32_t tag);
  absl::Status Spawn();
  bool EndKeeper();
  void OnTimer();
  void OnKeeperDeath();
  void StandIn();
  void ReadGroup();
  void ArmWatchdog();
  bool IsStopped() const;
  void ArmTimer(absl::Duration delay);

  const int fanotify_fd_;
  const KeeperOptions options_;
  const pid_t daemon_pid_;
  HoldQueue* queue_ = nullptr;  // the shared mapping
  void* stack_ = nullptr;       // the keeper's stack
  std::unique_ptr<HoldReader> reader_;
  std::unique_ptr<HoldConsumer> consumer_;
  Fd daemon_pidfd_;
  Fd doorbell_;
  Fd timer_;
  Fd epoll_;
  Fd pidfd_;
  pid_t pid_ = 0;
  int quick_deaths_ = 0;
  bool timer_armed_ = false;
  uint64_t reads_seen_ = 0;  // the read counter when the watchdog last looked
  int idle_looks_ = 0;
  uint64_t spawned_ns_ = 0;  // when the last attempt to start a keeper was made
  FdReserve fd_reserve_;
  std::atomic<uint64_t> keeper_restarts_ = 0;
  std::atomic<bool> stands_in_ = false;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_HOOK_KEEPER_H_

// HoldConsumer is the daemon's side of a HoldQueue: it takes events, answers them, and mends what a
// dead keeper left half done.
#ifndef ROSTER_USERSPACE_HOOK_HOLD_CONSUMER_H_
#define ROSTER_USERSPACE_HOOK_HOLD_CONSUMER_H_

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstdint>

#include "absl/status/statusor.h"
#include "hook/file_id.h"
#include "hook/hold_queue.h"
#include "kernel/fd.h"

namespace roster {

class HoldReader;

// One permission event. A runtime is blocked until the event is released.
struct HeldEvent {
  uint64_t number = 0;  // names it for Release; never 0, never reused within a Keeper
  int fd = -1;    // the file; see Keeper::Borrow before reading from it. -1 when already released
  pid_t tid = 0;  // the blocked thread; 0 when the daemon's pid namespace does not show it
  uint64_t mask = 0;  // FAN_OPEN_EXEC_PERM, FAN_ACCESS_PERM, or FAN_Q_OVERFLOW (events were lost)
  FileId file;        // of the file behind `fd`, known also when already released
  uint64_t read_ns = 0;      // CLOCK_MONOTONIC, when the keeper read it
  uint64_t deadline_ns = 0;  // CLOCK_MONOTONIC, when the keeper releases it
  bool already_released =
      false;  // nothing is blocked any more: resolve it late. Must not be released
};

// Thread-compatible: use it from one thread, except Release, IsHeld, Borrow, Holding and
// fds_leaked, which any thread may call.
class HoldConsumer {
 public:
  // `reader` answers; both must outlive this.
  HoldConsumer(HoldQueue* queue, HoldReader* reader) : queue_(*queue), reader_(*reader) {}

  // Keeper's methods of the same names say what these do.
  bool Next(HeldEvent* event);
  bool Release(uint64_t number);
  bool IsHeld(uint64_t number) const;
  absl::StatusOr<Fd> Borrow(uint64_t number);

  // After the keeper's death and before the next one's start: brings every slot that it left in the
  // middle of something to HELD, EXPIRED or FREE.
  void Recover();
  // Puts what a dead keeper recorded without announcing it into the ring.
  void AnnounceMissing();
  // Closes the fds of everything that is still held; nobody may answer any more.
  void CloseHeld();

  // Slots in use now.
  uint64_t Holding() const;
  // Event fds left open because a keeper died while closing them.
  uint64_t fds_leaked() const { return fds_leaked_.load(); }

 private:
  void RecoverSlot(uint32_t index);

  HoldQueue& queue_;
  HoldReader& reader_;
  std::array<uint64_t, kHoldSlots> taken_{};  // by slot: the last number that Next returned
  std::atomic<uint64_t> fds_leaked_ = 0;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_HOOK_HOLD_CONSUMER_H_

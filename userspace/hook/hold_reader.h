// HoldReader is the producer's side of a HoldQueue: it reads the fanotify group and ends holds that
// are due.
//
// It runs in the keeper, a clone of a possibly multi-threaded process: nothing here may allocate,
// lock, or call what is not async-signal-safe.
#ifndef ROSTER_USERSPACE_HOOK_HOLD_READER_H_
#define ROSTER_USERSPACE_HOOK_HOLD_READER_H_

#include <sys/types.h>

#include <array>
#include <cstdint>

#include "hook/hold_queue.h"

namespace roster {

// Exactly one process may read at a time; not thread-safe.
class HoldReader {
 public:
  enum class Result { kDrained, kMore, kBroken };
  static constexpr uint64_t kNoDeadline = UINT64_MAX;

  // `doorbell` is the daemon's eventfd. Everything is borrowed.
  HoldReader(HoldQueue* queue, int fanotify_fd, int doorbell, pid_t daemon);

  // The reader's soft RLIMIT_NOFILE: an event whose fd comes close to it is not held.
  void set_fd_limit(uint64_t fd_limit) { fd_limit_ = fd_limit; }

  // Takes over what another reader held: builds the list of deadlines from the queue.
  void AdoptHeld();
  // Reads at most `budget` events. kBroken: the group cannot be read any more.
  Result ReadEvents(int budget);
  // Allows what is due at `now`.
  void ExpireDue(uint64_t now);
  // When ExpireDue will have something to do; kNoDeadline when nothing is held.
  uint64_t NextDeadline();
  // The daemon is dead: allows everything held or readable, without accounts.
  void AllowEverything();

  // Puts a number into the ring and rings the daemon.
  void Announce(uint64_t number);
  // Writes FAN_ALLOW for `fd`. ENOENT (answered before) is no error.
  void Allow(int fd);
  // The slot's event is the caller's (READING, or the swap from HELD was won): answers and closes.
  void AnswerAndClose(HoldSlot& slot, uint64_t number, HoldState last);
  // Fills in the slot's dev and ino.
  void IdentifyFile(HoldSlot& slot);

 private:
  uint32_t FindFreeSlot();
  void Handle(HoldSlot& slot, uint64_t number);
  void Hold(HoldSlot& slot, uint64_t number);
  bool DaemonShowsNoLife(uint64_t now);
  bool ExpireSlot(uint32_t index, uint64_t now);
  void ExpireOldest();
  void NoteExpiry(uint64_t read_ns, uint64_t now);
  void Link(uint32_t index);
  void Unlink(uint32_t index);
  bool IsLive(uint32_t index) const;

  HoldQueue* const queue_;
  const int fanotify_fd_;
  const int doorbell_;
  const pid_t daemon_;
  uint64_t fd_limit_ = UINT64_MAX;
  uint32_t cursor_ = 0;

  // Held slots in the order of their deadlines: a doubly linked list whose end mark is
  // kScratchSlot, which is never held. A slot the daemon answered stays linked until it is met or
  // used again.
  std::array<uint16_t, kHoldSlots> next_{};
  std::array<uint16_t, kHoldSlots> previous_{};
  std::array<bool, kHoldSlots> linked_{};

  // Fast release: see DaemonShowsNoLife.
  bool fast_ = false;
  bool needs_answer_ = false;
  uint64_t last_expiry_ns_ = 0;
  uint64_t life_at_expiry_ = 0;
  uint64_t answers_at_expiry_ = 0;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_HOOK_HOLD_READER_H_

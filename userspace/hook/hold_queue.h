// HoldQueue is the shared memory in which the keeper hands held fanotify events to the daemon.
//
// One producer (whoever reads the fanotify group: the keeper, or the daemon while there is no
// keeper), one consumer (the daemon). A slot's state and its event's number live in one 64-bit
// word, so that a compare-and-swap from HELD can never hit a later event in the same slot:
//
//   FREE -> READING -> HELD -> DAEMON_ANSWERING -> FREE                       the daemon answered
//                      HELD -> KEEPER_ANSWERING -> KEEPER_CLOSING -> EXPIRED -> FREE   the keeper
//                      did
//
// Whoever wins the swap from HELD writes the response and closes the event's fd; nobody else does,
// with one exception: past the deadline the producer also answers (and only answers) a slot in
// DAEMON_ANSWERING, for a daemon may be stopped between its swap and its write. That is safe: the
// number cannot belong to another pending event, because only the producer, which is busy here, can
// make one.
//
// Every step is written so that the keeper may be killed between any two instructions: the kernel
// writes an event straight into its slot (READING), and the fd is closed only in a state of its
// own.
#ifndef ROSTER_USERSPACE_HOOK_HOLD_QUEUE_H_
#define ROSTER_USERSPACE_HOOK_HOLD_QUEUE_H_

#include <sys/fanotify.h>

#include <atomic>
#include <cstdint>

namespace roster {

inline constexpr uint32_t kHoldIndexBits = 10;
inline constexpr uint32_t kHoldSlots = 1u << kHoldIndexBits;
// The last slot receives events for which there is no room; they are answered at once.
inline constexpr uint32_t kScratchSlot = kHoldSlots - 1;
inline constexpr uint32_t kMaxHoldCapacity = kHoldSlots - 1;

enum class HoldState : uint64_t {
  kFree = 0,
  kReading = 1,          // the kernel may write the event at any moment
  kHeld = 2,             // nobody has answered
  kDaemonAnswering = 3,  // the daemon won
  kKeeperAnswering = 4,  // the producer won; the fd is certainly open
  kKeeperClosing = 5,    // answered; the fd may be closed already
  kExpired = 6,          // answered and closed by the producer; the daemon has not taken note yet
};

// The word of a slot: the event's number and the state.
constexpr uint64_t HoldWord(uint64_t number, HoldState state) {
  return number << 3 | static_cast<uint64_t>(state);
}
constexpr HoldState StateOf(uint64_t word) { return static_cast<HoldState>(word & 7); }
constexpr uint64_t NumberOf(uint64_t word) { return word >> 3; }
// An event's number carries its slot in the low bits; it is never 0 and never used twice.
constexpr uint32_t HoldIndex(uint64_t number) { return number & (kHoldSlots - 1); }

struct HoldSlot {
  std::atomic<uint64_t> word;     // HoldWord
  std::atomic<uint32_t> rescued;  // the producer answered for a daemon that stopped while answering
  std::atomic<uint32_t>
      daemon_done;                // the daemon has taken note: whoever sees EXPIRED frees the slot
  uint64_t read_ns;               // CLOCK_MONOTONIC
  fanotify_event_metadata event;  // as the kernel wrote it
  uint64_t dev;                   // of the file; 0 when unknown
  uint64_t ino;
};
static_assert(sizeof(HoldSlot) == 8 + 4 + 4 + 8 + sizeof(fanotify_event_metadata) + 8 + 8);
static_assert(sizeof(HoldSlot) == 64);
static_assert(std::atomic<uint64_t>::is_always_lock_free);

struct HoldQueue {
  // Set before the keeper starts, constant afterwards.
  uint64_t deadline_ns;
  uint32_t capacity;  // slots in use, without the scratch slot

  // Written by the producer.
  alignas(64) std::atomic<uint64_t> head;  // events announced in `ring`
  uint64_t next_sequence;                  // the next event's number without the slot
  std::atomic<uint64_t> reads;             // events read; the watchdog's sign of life
  std::atomic<uint64_t> held;
  std::atomic<uint64_t> expired;
  std::atomic<uint64_t> fast_released;
  std::atomic<uint64_t> rescued;
  std::atomic<uint64_t> overflow;
  std::atomic<uint64_t> table_full;
  std::atomic<uint64_t> own_reads;
  std::atomic<uint64_t> read_errors;
  std::atomic<uint64_t> fd_pressure;

  // Written by the daemon.
  alignas(64) std::atomic<uint64_t> tail;  // events taken from `ring`
  std::atomic<uint64_t> life;              // times the daemon came to look
  std::atomic<uint64_t> answers;           // times the daemon answered, in time or late

  // Numbers in the order of their reading. It cannot overflow: an announced number keeps its slot
  // until it has been taken.
  alignas(64) std::atomic<uint64_t> ring[kHoldSlots];
  alignas(64) HoldSlot slots[kHoldSlots];
};

// The daemon is done with an event that the producer answered: frees its slot as soon as it is
// EXPIRED. Either side may call it, in any order; the slot is freed once.
inline void FreeIfExpired(HoldSlot& slot, uint64_t number) {
  uint64_t expected = HoldWord(number, HoldState::kExpired);
  slot.word.compare_exchange_strong(expected, HoldWord(number, HoldState::kFree));
}

}  // namespace roster

#endif  // ROSTER_USERSPACE_HOOK_HOLD_QUEUE_H_

#include "hook/hold_consumer.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "hook/hold_reader.h"
#include "kernel/clock.h"
#include "kernel/errors.h"

namespace roster {

bool HoldConsumer::Next(HeldEvent* event) {
  const uint64_t tail = queue_.tail.load();
  if (tail == queue_.head.load()) return false;
  const uint64_t number = queue_.ring[tail % kHoldSlots].load();
  HoldSlot& slot = queue_.slots[HoldIndex(number)];
  taken_[HoldIndex(number)] = number;
  queue_.tail.store(tail + 1);
  event->number = number;
  event->tid = slot.event.pid;
  event->mask = slot.event.mask;
  event->file = FileId{slot.dev, slot.ino};
  event->read_ns = slot.read_ns;
  event->deadline_ns = slot.read_ns + queue_.deadline_ns;
  event->already_released = StateOf(slot.word.load()) != HoldState::kHeld;
  event->fd = event->already_released ? -1 : slot.event.fd;
  if (event->already_released) {
    slot.daemon_done.store(1);
    FreeIfExpired(slot, number);
  }
  return true;
}

bool HoldConsumer::Release(uint64_t number) {
  HoldSlot& slot = queue_.slots[HoldIndex(number)];
  uint64_t expected = HoldWord(number, HoldState::kHeld);
  if (slot.word.compare_exchange_strong(expected, HoldWord(number, HoldState::kDaemonAnswering))) {
    reader_.Allow(slot.event.fd);
    queue_.answers.fetch_add(1);
    close(slot.event.fd);
    const bool in_time = slot.rescued.load() == 0;
    slot.word.store(HoldWord(number, HoldState::kFree));
    return in_time;
  }
  if (NumberOf(expected) != number) return false;
  switch (StateOf(expected)) {
    case HoldState::kKeeperAnswering:
    case HoldState::kKeeperClosing:
    case HoldState::kExpired:
      queue_.answers.fetch_add(1);
      slot.daemon_done.store(1);
      FreeIfExpired(slot, number);
      return false;
    default:
      return false;
  }
}

bool HoldConsumer::IsHeld(uint64_t number) const {
  return queue_.slots[HoldIndex(number)].word.load() == HoldWord(number, HoldState::kHeld);
}

absl::StatusOr<Fd> HoldConsumer::Borrow(uint64_t number) {
  if (IsHeld(number)) {
    Fd copy(fcntl(queue_.slots[HoldIndex(number)].event.fd, F_DUPFD_CLOEXEC, 3));
    const int error = errno;
    // Still held after the duplication: then the number meant this file during it.
    if (IsHeld(number)) {
      if (!copy.valid())
        return ErrnoStatus("duplicate", absl::StrCat("the fd of held event ", number), error);
      return copy;
    }
  }
  return absl::NotFoundError(absl::StrCat("borrow fd: event ", number, " is not held any more"));
}

void HoldConsumer::Recover() {
  for (uint32_t i = 0; i < kHoldSlots; ++i) RecoverSlot(i);
}

// Brings a slot that a dead keeper left in the middle of something to HELD, EXPIRED or FREE.
void HoldConsumer::RecoverSlot(uint32_t index) {
  HoldSlot& slot = queue_.slots[index];
  const uint64_t word = slot.word.load();
  const uint64_t number = NumberOf(word);
  switch (StateOf(word)) {
    case HoldState::kReading:
      if (slot.event.fd < 0) {
        slot.word.store(HoldWord(number, HoldState::kFree));
      } else if (index == kScratchSlot) {
        reader_.AnswerAndClose(slot, number, HoldState::kFree);
      } else {
        // Read, and nothing else. The deadline starts now.
        slot.read_ns = MonotonicNs();
        reader_.IdentifyFile(slot);
        queue_.held.fetch_add(1);
        slot.word.store(HoldWord(number, HoldState::kHeld));
      }
      return;
    case HoldState::kKeeperAnswering:
      // Answered or not; the fd is still open, so that a second answer can only find nothing.
      reader_.AnswerAndClose(slot, number,
                             index == kScratchSlot ? HoldState::kFree : HoldState::kExpired);
      return;
    case HoldState::kKeeperClosing:
      // Closed or not: closing it again could close somebody else's. One instruction wide, and
      // counted.
      if (fcntl(slot.event.fd, F_GETFD) >= 0) ++fds_leaked_;
      slot.word.store(
          HoldWord(number, index == kScratchSlot ? HoldState::kFree : HoldState::kExpired));
      if (slot.daemon_done.load() != 0) FreeIfExpired(slot, number);
      return;
    default:
      return;
  }
}

// Puts what a dead keeper recorded without announcing it into the ring.
void HoldConsumer::AnnounceMissing() {
  absl::flat_hash_set<uint64_t> announced;
  const uint64_t head = queue_.head.load();
  for (uint64_t i = queue_.tail.load(); i != head; ++i)
    announced.insert(queue_.ring[i % kHoldSlots].load());
  for (uint32_t i = 0; i < queue_.capacity; ++i) {
    const uint64_t word = queue_.slots[i].word.load();
    const uint64_t number = NumberOf(word);
    if (StateOf(word) != HoldState::kHeld && StateOf(word) != HoldState::kExpired) continue;
    if (taken_[i] == number || announced.contains(number)) continue;
    reader_.Announce(number);
  }
}

void HoldConsumer::CloseHeld() {
  for (HoldSlot& slot : queue_.slots) {
    if (StateOf(slot.word.load()) == HoldState::kHeld) close(slot.event.fd);
  }
}

uint64_t HoldConsumer::Holding() const {
  uint64_t holding = 0;
  for (const HoldSlot& slot : queue_.slots) {
    const HoldState state = StateOf(slot.word.load());
    if (state != HoldState::kFree && state != HoldState::kReading) ++holding;
  }
  return holding;
}

}  // namespace roster

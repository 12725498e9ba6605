#include "hook/hold_reader.h"

#include <fcntl.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>

#include "kernel/clock.h"

namespace roster {
namespace {

constexpr uint64_t kPermissionEvents = FAN_OPEN_EXEC_PERM | FAN_ACCESS_PERM | FAN_OPEN_PERM;
// Room that is left below the fd limit for events that are answered at once.
constexpr uint64_t kFdMargin = 8;
// How often a daemon that looks at events but answers none is given another chance.
constexpr uint64_t kProbeNs = 1'000'000'000;

}  // namespace

HoldReader::HoldReader(HoldQueue* queue, int fanotify_fd, int doorbell, pid_t daemon)
    : queue_(queue), fanotify_fd_(fanotify_fd), doorbell_(doorbell), daemon_(daemon) {
  next_[kScratchSlot] = previous_[kScratchSlot] = kScratchSlot;
}

void HoldReader::Link(uint32_t index) {
  const uint16_t last = previous_[kScratchSlot];
  next_[last] = static_cast<uint16_t>(index);
  previous_[index] = last;
  next_[index] = kScratchSlot;
  previous_[kScratchSlot] = static_cast<uint16_t>(index);
  linked_[index] = true;
}

void HoldReader::Unlink(uint32_t index) {
  if (!linked_[index]) return;
  next_[previous_[index]] = next_[index];
  previous_[next_[index]] = previous_[index];
  linked_[index] = false;
}

bool HoldReader::IsLive(uint32_t index) const {
  const HoldSlot& slot = queue_->slots[index];
  switch (StateOf(slot.word.load())) {
    case HoldState::kHeld:
      return true;
    case HoldState::kDaemonAnswering:
      return slot.rescued.load() == 0;
    default:
      return false;
  }
}

void HoldReader::AdoptHeld() {
  linked_.fill(false);
  next_[kScratchSlot] = previous_[kScratchSlot] = kScratchSlot;
  // Selection by number, which is the order of reading: at most 1,023 held, once per takeover.
  uint64_t last = 0;
  while (true) {
    uint64_t lowest = UINT64_MAX;
    for (uint32_t i = 0; i < queue_->capacity; ++i) {
      const uint64_t number = NumberOf(queue_->slots[i].word.load());
      if (number > last && number < lowest && IsLive(i)) lowest = number;
    }
    if (lowest == UINT64_MAX) return;
    Link(HoldIndex(lowest));
    last = lowest;
  }
}

uint32_t HoldReader::FindFreeSlot() {
  for (uint32_t i = 0; i < queue_->capacity; ++i) {
    const uint32_t index = cursor_;
    cursor_ = cursor_ + 1 < queue_->capacity ? cursor_ + 1 : 0;
    if (StateOf(queue_->slots[index].word.load()) == HoldState::kFree) return index;
  }
  return kScratchSlot;
}

HoldReader::Result HoldReader::ReadEvents(int budget) {
  for (; budget > 0; --budget) {
    const uint32_t index = FindFreeSlot();
    if (index != kScratchSlot) Unlink(index);
    HoldSlot& slot = queue_->slots[index];
    const uint64_t number = ++queue_->next_sequence << kHoldIndexBits | index;
    slot.event = {};
    slot.event.fd = FAN_NOFD;
    slot.rescued.store(0);
    slot.daemon_done.store(0);
    slot.word.store(HoldWord(number, HoldState::kReading));
    const ssize_t n = read(fanotify_fd_, &slot.event, sizeof(slot.event));
    if (n == static_cast<ssize_t>(sizeof(slot.event)) &&
        slot.event.vers == FANOTIFY_METADATA_VERSION) {
      queue_->reads.fetch_add(1);
      Handle(slot, number);
      continue;
    }
    const int error = n < 0 ? errno : EPROTO;
    slot.word.store(HoldWord(number, HoldState::kFree));
    if (error == EAGAIN) return Result::kDrained;
    if (error == EINTR) continue;
    if (n == sizeof(slot.event) || error == EBADF || error == EINVAL || error == EFAULT)
      return Result::kBroken;
    // The kernel denied this event. Make room so that it is the last one.
    queue_->read_errors.fetch_add(1);
    if (error == EMFILE || error == ENFILE || error == ENOMEM) ExpireOldest();
  }
  return Result::kMore;
}

void HoldReader::Handle(HoldSlot& slot, uint64_t number) {
  if (slot.event.mask & FAN_Q_OVERFLOW) {
    queue_->overflow.fetch_add(1);
    slot.dev = slot.ino = 0;
    slot.read_ns = MonotonicNs();
    if (HoldIndex(number) == kScratchSlot) {
      slot.word.store(HoldWord(number, HoldState::kFree));
      return;
    }
    slot.word.store(HoldWord(number, HoldState::kExpired));
    Announce(number);
    return;
  }
  if (slot.event.fd < 0 || !(slot.event.mask & kPermissionEvents)) {
    if (slot.event.fd >= 0) close(slot.event.fd);
    slot.word.store(HoldWord(number, HoldState::kFree));
    return;
  }
  if (HoldIndex(number) == kScratchSlot) {
    queue_->table_full.fetch_add(1);
    AnswerAndClose(slot, number, HoldState::kFree);
    return;
  }
  // The daemon reads pid files, and must not wait for itself. It is asked of the kernel by thread
  // id: signal 0 finds out whether `tid` is a thread of the daemon's.
  if ((slot.event.mask & FAN_ACCESS_PERM) && slot.event.pid > 0 &&
      syscall(SYS_tgkill, daemon_, slot.event.pid, 0) == 0) {
    queue_->own_reads.fetch_add(1);
    AnswerAndClose(slot, number, HoldState::kFree);
    return;
  }
  Hold(slot, number);
}

void HoldReader::Hold(HoldSlot& slot, uint64_t number) {
  slot.read_ns = MonotonicNs();
  IdentifyFile(slot);
  const bool pressure = static_cast<uint64_t>(slot.event.fd) + kFdMargin >= fd_limit_;
  if (pressure || DaemonShowsNoLife(slot.read_ns)) {
    (pressure ? queue_->fd_pressure : queue_->fast_released).fetch_add(1);
    queue_->expired.fetch_add(1);
    AnswerAndClose(slot, number, HoldState::kExpired);
    if (pressure) ExpireOldest();
  } else {
    queue_->held.fetch_add(1);
    slot.word.store(HoldWord(number, HoldState::kHeld));
    Link(HoldIndex(number));
  }
  Announce(number);
}

// By the event's own fd, from the inode in memory: no file system (FUSE, NFS) is asked.
void HoldReader::IdentifyFile(HoldSlot& slot) {
  struct statx st;
  if (statx(slot.event.fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, &st) == 0) {
    slot.dev = makedev(st.stx_dev_major, st.stx_dev_minor);
    slot.ino = st.stx_ino;
  } else {
    slot.dev = slot.ino = 0;
  }
}

void HoldReader::Announce(uint64_t number) {
  const uint64_t head = queue_->head.load();
  queue_->ring[head % kHoldSlots].store(number);
  queue_->head.store(head + 1);
  const uint64_t one = 1;
  (void)!write(doorbell_, &one, sizeof(one));
}

void HoldReader::Allow(int fd) {
  fanotify_response response = {};
  response.fd = fd;
  response.response = FAN_ALLOW;
  (void)!write(fanotify_fd_, &response, sizeof(response));
}

void HoldReader::AnswerAndClose(HoldSlot& slot, uint64_t number, HoldState last) {
  slot.word.store(HoldWord(number, HoldState::kKeeperAnswering));
  Allow(slot.event.fd);
  slot.word.store(HoldWord(number, HoldState::kKeeperClosing));
  close(slot.event.fd);
  slot.word.store(HoldWord(number, last));
  if (last == HoldState::kExpired && slot.daemon_done.load() != 0) FreeIfExpired(slot, number);
}

// A stopped daemon delays one hold and not each of a start's five or six: after an expiry events
// are allowed at once until the daemon shows life. An expiry rings the daemon's doorbell, so a
// daemon that is merely slow with one event comes to look within microseconds. When holds
// nevertheless keep expiring without any answer in between, looking is not enough: then an answer
// is needed, or a second's peace.
bool HoldReader::DaemonShowsNoLife(uint64_t now) {
  if (!fast_) return false;
  const bool answered = queue_->answers.load() != answers_at_expiry_;
  const bool looked = queue_->life.load() != life_at_expiry_;
  if (answered) needs_answer_ = false;
  if (answered || (looked && (!needs_answer_ || now - last_expiry_ns_ >= kProbeNs))) fast_ = false;
  return fast_;
}

void HoldReader::NoteExpiry(uint64_t read_ns, uint64_t now) {
  const uint64_t answers = queue_->answers.load();
  // Of events held at the same time the first one counts.
  if (last_expiry_ns_ != 0 && read_ns > last_expiry_ns_) {
    needs_answer_ = answers == answers_at_expiry_;
  }
  fast_ = true;
  last_expiry_ns_ = now;
  answers_at_expiry_ = answers;
  life_at_expiry_ = queue_->life.load();
}

// False when the slot is not due, or nobody's turn any more.
bool HoldReader::ExpireSlot(uint32_t index, uint64_t now) {
  HoldSlot& slot = queue_->slots[index];
  uint64_t word = slot.word.load();
  const uint64_t number = NumberOf(word);
  if (StateOf(word) == HoldState::kHeld &&
      slot.word.compare_exchange_strong(word, HoldWord(number, HoldState::kKeeperAnswering))) {
    queue_->expired.fetch_add(1);
    NoteExpiry(slot.read_ns, now);
    AnswerAndClose(slot, number, HoldState::kExpired);
    return true;
  }
  if (StateOf(word) == HoldState::kDaemonAnswering) {
    // The daemon closes the fd when it goes on; its own answer then finds nothing.
    slot.rescued.store(1);
    Allow(slot.event.fd);
    queue_->rescued.fetch_add(1);
    queue_->expired.fetch_add(1);
    NoteExpiry(slot.read_ns, now);
    return true;
  }
  return false;
}

uint64_t HoldReader::NextDeadline() {
  while (next_[kScratchSlot] != kScratchSlot) {
    const uint32_t first = next_[kScratchSlot];
    if (IsLive(first)) return queue_->slots[first].read_ns + queue_->deadline_ns;
    Unlink(first);
  }
  return kNoDeadline;
}

void HoldReader::ExpireDue(uint64_t now) {
  bool any = false;
  for (uint64_t due = NextDeadline(); due <= now; due = NextDeadline()) {
    const uint32_t first = next_[kScratchSlot];
    any |= ExpireSlot(first, now);
    Unlink(first);
  }
  if (any) {
    // The life sign asked for by DaemonShowsNoLife must come after the expiry.
    const uint64_t one = 1;
    (void)!write(doorbell_, &one, sizeof(one));
  }
}

void HoldReader::ExpireOldest() {
  if (NextDeadline() == kNoDeadline) return;
  const uint32_t first = next_[kScratchSlot];
  HoldSlot& slot = queue_->slots[first];
  uint64_t word = slot.word.load();
  const uint64_t number = NumberOf(word);
  // A slot in DAEMON_ANSWERING is about to give its fd back by itself.
  if (StateOf(word) != HoldState::kHeld ||
      !slot.word.compare_exchange_strong(word, HoldWord(number, HoldState::kKeeperAnswering))) {
    return;
  }
  queue_->expired.fetch_add(1);
  queue_->fd_pressure.fetch_add(1);
  AnswerAndClose(slot, number, HoldState::kExpired);
  Unlink(first);
}

void HoldReader::AllowEverything() {
  for (uint32_t i = 0; i < queue_->capacity; ++i) {
    const HoldState state = StateOf(queue_->slots[i].word.load());
    if (state == HoldState::kHeld || state == HoldState::kDaemonAnswering)
      Allow(queue_->slots[i].event.fd);
  }
  fanotify_event_metadata event;
  while (read(fanotify_fd_, &event, sizeof(event)) == static_cast<ssize_t>(sizeof(event))) {
    if (event.fd < 0) continue;
    Allow(event.fd);
    close(event.fd);
  }
}

}  // namespace roster

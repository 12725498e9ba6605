#include "hook/keeper.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "hook/hold_reader.h"
#include "hook/keeper_process.h"
#include "kernel/errors.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

namespace roster {
namespace {

constexpr size_t kStackSize = 64 * 1024;
// Fds of the reserve that are not for held events: the scratch slot's, and what a keeper opens to
// settle in.
constexpr rlim_t kFdSlack = 32;
constexpr int kDispatchBudget = 256;
constexpr absl::Duration kSpawnRetry = absl::Seconds(1);
// After so many keepers in a row that died so soon the next is not started at once, or the daemon
// would do nothing else.
constexpr int kQuickDeaths = 5;
constexpr uint64_t kQuickDeathNs = 10'000'000;
constexpr int kKillPatienceMs = 100;
// Looks, a quarter of the deadline apart, at which a keeper that is not stopped has read nothing.
constexpr int kIdleLooks = 3;

enum Tag : uint32_t { kDoorbell, kGroup, kTimer, kPidfd };

int PidfdOpen(pid_t pid) { return static_cast<int>(syscall(SYS_pidfd_open, pid, 0)); }

absl::Status SetTimer(int fd, absl::Duration delay) {
  itimerspec spec = {};
  spec.it_value = absl::ToTimespec(std::max(delay, absl::Microseconds(1)));
  if (timerfd_settime(fd, 0, &spec, nullptr) != 0)
    return ErrnoStatus("set", "the keeper's timer", errno);
  return absl::OkStatus();
}

// Best effort: below its present value it needs CAP_SYS_RESOURCE. Done for the keeper and not by
// it, so that a keeper killed meanwhile leaves no fd in the table.
void ShieldFromOomKiller(pid_t pid) {
  const Fd file(open(absl::StrCat("/proc/", pid, "/oom_score_adj").c_str(), O_WRONLY | O_CLOEXEC));
  if (file.valid()) (void)!write(file.get(), "-1000", 5);
}

}  // namespace

Keeper::Keeper(int fanotify_fd, KeeperOptions options)
    : fanotify_fd_(fanotify_fd), options_(options), daemon_pid_(getpid()) {}

absl::StatusOr<std::unique_ptr<Keeper>> Keeper::Start(int fanotify_fd, KeeperOptions options) {
  if (options.deadline < absl::Milliseconds(1) || options.deadline > absl::Hours(1)) {
    return absl::InvalidArgumentError(absl::StrCat("start keeper: deadline ",
                                                   absl::FormatDuration(options.deadline),
                                                   " is not within 1ms to 1h"));
  }
  if (options.capacity < 1 || options.capacity > kMaxHoldCapacity) {
    return absl::InvalidArgumentError(absl::StrCat("start keeper: capacity ", options.capacity,
                                                   " is not within 1 to ", kMaxHoldCapacity));
  }
  const int flags = fcntl(fanotify_fd, F_GETFL);
  if (flags < 0) return ErrnoStatus("start keeper for", absl::StrCat("fd ", fanotify_fd), errno);
  if ((flags & O_NONBLOCK) == 0) {
    return absl::InvalidArgumentError(absl::StrCat("start keeper: the fanotify group (fd ",
                                                   fanotify_fd, ") is not FAN_NONBLOCK"));
  }
  std::unique_ptr<Keeper> keeper(new Keeper(fanotify_fd, options));
  ROSTER_RETURN_IF_ERROR(keeper->Initialize());
  return keeper;
}

absl::Status Keeper::Initialize() {
  void* memory =
      mmap(nullptr, sizeof(HoldQueue), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return ErrnoStatus("map", "the hold queue", errno);
  queue_ = new (memory) HoldQueue();
  queue_->deadline_ns = static_cast<uint64_t>(absl::ToInt64Nanoseconds(options_.deadline));
  queue_->capacity = options_.capacity;
  void* stack = mmap(nullptr, kStackSize, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED) return ErrnoStatus("map", "the keeper's stack", errno);
  stack_ = stack;

  daemon_pidfd_.Reset(PidfdOpen(daemon_pid_));
  if (!daemon_pidfd_.valid()) return ErrnoStatus("open", "a pidfd of this process", errno);
  doorbell_.Reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!doorbell_.valid()) return ErrnoStatus("create", "the keeper's doorbell", errno);
  timer_.Reset(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer_.valid()) return ErrnoStatus("create", "the keeper's timer", errno);
  epoll_.Reset(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_.valid()) return ErrnoStatus("create", "the keeper's epoll", errno);
  ROSTER_RETURN_IF_ERROR(ReserveFds());
  // Edge-triggered: the doorbell is never read, and a readable group is the keeper's to read.
  ROSTER_RETURN_IF_ERROR(Watch(doorbell_.get(), EPOLLIN | EPOLLET, kDoorbell));
  ROSTER_RETURN_IF_ERROR(Watch(fanotify_fd_, EPOLLIN | EPOLLET, kGroup));
  ROSTER_RETURN_IF_ERROR(Watch(timer_.get(), EPOLLIN, kTimer));
  reader_ = std::make_unique<HoldReader>(queue_, fanotify_fd_, doorbell_.get(), daemon_pid_);
  return Spawn();
}

absl::Status Keeper::Watch(int fd, uint32_t events, uint32_t tag) {
  epoll_event event = {};
  event.events = events;
  event.data.u32 = tag;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return ErrnoStatus("watch", absl::StrCat("the keeper's fd ", fd), errno);
  }
  return absl::OkStatus();
}

// Resource limits belong to a process and not to its fd table, so the daemon and the keeper can
// have different ones over the table they share: what lies between the two is the keeper's alone,
// however many fds the daemon uses up.
absl::Status Keeper::ReserveFds() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return ErrnoStatus("read", "RLIMIT_NOFILE", errno);
  original_fd_limit_ = limit.rlim_cur;
  constexpr rlim_t kEnough = 16 * 1024;
  if (limit.rlim_max < kEnough) {
    // Needs CAP_SYS_RESOURCE.
    const rlimit raised = {limit.rlim_cur, kEnough};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit.rlim_max = kEnough;
  }
  const rlim_t hard = std::min<rlim_t>(limit.rlim_max, 1 << 20);
  const rlim_t reserve = std::min<rlim_t>(options_.capacity + kFdSlack, hard / 2);
  if (reserve <= kFdSlack) {
    return absl::ResourceExhaustedError(
        absl::StrCat("reserve fds for the keeper: the hard RLIMIT_NOFILE of ", hard,
                     " is too small, raise it (LimitNOFILE=)"));
  }
  queue_->capacity = static_cast<uint32_t>(reserve - kFdSlack);
  keeper_fd_limit_ = hard;
  daemon_fd_limit_ = hard - reserve;
  return SetFdLimit(daemon_fd_limit_);
}

absl::Status Keeper::SetFdLimit(rlim_t soft) {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return ErrnoStatus("read", "RLIMIT_NOFILE", errno);
  limit.rlim_cur = std::min(soft, limit.rlim_max);
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    return ErrnoStatus("set", absl::StrCat("RLIMIT_NOFILE to ", soft), errno);
  }
  return absl::OkStatus();
}

absl::Status Keeper::Spawn() {
  reader_->AdoptHeld();
  reader_->set_fd_limit(keeper_fd_limit_);
  KeeperArguments arguments = {};
  arguments.reader = reader_.get();
  arguments.fanotify_fd = fanotify_fd_;
  arguments.daemon_pidfd = daemon_pidfd_.get();
  arguments.fd_limit = keeper_fd_limit_;
  arguments.stack = stack_;
  arguments.stack_size = kStackSize;
  arguments.queue = queue_;
  // The keeper keeps all signals blocked: it must run none of the daemon's handlers and outlive a
  // SIGTERM that is meant for both.
  sigset_t all;
  sigset_t old;
  sigfillset(&all);
  if (const int error = pthread_sigmask(SIG_SETMASK, &all, &old); error != 0) {
    return ErrnoStatus("block", "signals", error);
  }
  int pidfd = -1;
  // No exit signal: the daemon's SIGCHLD handling and wait(-1) never meet the keeper.
  const pid_t pid = clone(&RunKeeper, static_cast<char*>(stack_) + kStackSize,
                          CLONE_FILES | CLONE_PIDFD, &arguments, &pidfd);
  const int error = errno;
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
  spawned_ns_ = MonotonicNow();
  if (pid < 0) return ErrnoStatus("start", "the keeper process", error);
  pid_ = pid;
  pidfd_.Reset(pidfd);
  stands_in_.store(false);
  ShieldFromOomKiller(pid_);
  return Watch(pidfd_.get(), EPOLLIN, kPidfd);
}

// True when the keeper is certainly gone.
bool Keeper::EndKeeper() {
  if (!pidfd_.valid()) return true;
  syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
  pollfd fds = {pidfd_.get(), POLLIN, 0};
  int ready = 0;
  do {
    ready = poll(&fds, 1, kKillPatienceMs);
  } while (ready < 0 && errno == EINTR);
  if (ready > 0) {
    siginfo_t info;
    waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(pidfd_.get()), &info,
           WEXITED | __WALL);
  }
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, pidfd_.get(), nullptr);
  pidfd_.Reset();
  pid_ = 0;
  return ready > 0;
}

Keeper::~Keeper() {
  // A forked child must not end its parent's keeper.
  if (getpid() == daemon_pid_ && queue_ != nullptr && reader_ != nullptr) {
    EndKeeper();
    RecoverSlots();
    (void)SetFdLimit(keeper_fd_limit_);
    reader_->AllowEverything();
    for (HoldSlot& slot : queue_->slots) {
      if (StateOf(slot.word.load()) == HoldState::kHeld) close(slot.event.fd);
    }
  }
  if (getpid() == daemon_pid_ && original_fd_limit_ != 0) (void)SetFdLimit(original_fd_limit_);
  if (queue_ != nullptr) munmap(queue_, sizeof(HoldQueue));
  if (stack_ != nullptr) munmap(stack_, kStackSize);
}

absl::Status Keeper::Restart() {
  if (pidfd_.valid()) ++keeper_restarts_;
  // A killed process executes nothing of ours any more even while it has not gone yet, so its slots
  // may be recovered; only an event that the kernel is just about to give it would be missed.
  EndKeeper();
  RecoverSlots();
  AnnounceMissing();
  absl::Status status = Spawn();
  if (status.ok()) {
    ROSTER_RETURN_IF_ERROR(SetFdLimit(daemon_fd_limit_));
    ArmWatchdog();
    return absl::OkStatus();
  }
  StandIn();
  return status;
}

// The daemon reads the group itself. It takes the keeper's reserve of fds meanwhile.
void Keeper::StandIn() {
  stands_in_.store(true);
  (void)SetFdLimit(keeper_fd_limit_);
  reader_->AdoptHeld();
  ReadGroup();
}

void Keeper::ReadGroup() {
  const uint64_t now = MonotonicNow();
  reader_->ExpireDue(now);
  while (reader_->ReadEvents(kDispatchBudget) == HoldReader::Result::kMore) {
  }
  absl::Duration wait = kSpawnRetry;
  if (const uint64_t deadline = reader_->NextDeadline(); deadline != HoldReader::kNoDeadline) {
    wait = std::min(wait,
                    absl::Nanoseconds(static_cast<int64_t>(deadline > now ? deadline - now : 0)));
  }
  ArmTimer(wait);
}

void Keeper::RecoverSlots() {
  for (uint32_t i = 0; i < kHoldSlots; ++i) RecoverSlot(i);
}

// Brings a slot that a dead keeper left in the middle of something to HELD, EXPIRED or FREE.
void Keeper::RecoverSlot(uint32_t index) {
  HoldSlot& slot = queue_->slots[index];
  const uint64_t word = slot.word.load();
  const uint64_t number = NumberOf(word);
  switch (StateOf(word)) {
    case HoldState::kReading:
      if (slot.event.fd < 0) {
        slot.word.store(HoldWord(number, HoldState::kFree));
      } else if (index == kScratchSlot) {
        reader_->AnswerAndClose(slot, number, HoldState::kFree);
      } else {
        // Read, and nothing else. The deadline starts now.
        slot.read_ns = MonotonicNow();
        reader_->IdentifyFile(slot);
        queue_->held.fetch_add(1);
        slot.word.store(HoldWord(number, HoldState::kHeld));
      }
      return;
    case HoldState::kKeeperAnswering:
      // Answered or not; the fd is still open, so that a second answer can only find nothing.
      reader_->AnswerAndClose(slot, number,
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
void Keeper::AnnounceMissing() {
  absl::flat_hash_set<uint64_t> announced;
  const uint64_t head = queue_->head.load();
  for (uint64_t i = queue_->tail.load(); i != head; ++i)
    announced.insert(queue_->ring[i % kHoldSlots].load());
  for (uint32_t i = 0; i < queue_->capacity; ++i) {
    const uint64_t word = queue_->slots[i].word.load();
    const uint64_t number = NumberOf(word);
    if (StateOf(word) != HoldState::kHeld && StateOf(word) != HoldState::kExpired) continue;
    if (taken_[i] == number || announced.contains(number)) continue;
    reader_->Announce(number);
  }
}

void Keeper::ArmTimer(absl::Duration delay) { timer_armed_ = SetTimer(timer_.get(), delay).ok(); }

// The keeper is suspect while the group is readable and it reads nothing. That is asked a quarter
// of the deadline apart: what arrived just before one look must not be held against it, and on a
// busy machine a keeper that only waits for a processor is given longer than a stopped one.
void Keeper::ArmWatchdog() {
  reads_seen_ = UINT64_MAX;
  ArmTimer(options_.deadline / 4);
}

bool Keeper::IsStopped() const {
  siginfo_t info = {};
  return waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(pidfd_.get()), &info,
                WSTOPPED | WNOHANG | WNOWAIT | __WALL) == 0 &&
         info.si_pid != 0;
}

void Keeper::OnTimer() {
  uint64_t expirations;
  (void)!read(timer_.get(), &expirations, sizeof(expirations));
  timer_armed_ = false;
  if (!pidfd_.valid()) {
    if (MonotonicNow() - spawned_ns_ >=
        static_cast<uint64_t>(absl::ToInt64Nanoseconds(kSpawnRetry))) {
      (void)Restart();
    }
    return;
  }
  pollfd fds = {fanotify_fd_, POLLIN, 0};
  if (poll(&fds, 1, 0) <= 0) return;
  const uint64_t reads = queue_->reads.load();
  idle_looks_ = reads == reads_seen_ ? idle_looks_ + 1 : 0;
  if (idle_looks_ >= kIdleLooks || (idle_looks_ > 0 && IsStopped())) {
    (void)Restart();
    return;
  }
  reads_seen_ = reads;
  ArmTimer(options_.deadline / 4);
}

void Keeper::OnKeeperDeath() {
  quick_deaths_ = MonotonicNow() - spawned_ns_ < kQuickDeathNs ? quick_deaths_ + 1 : 0;
  if (quick_deaths_ < kQuickDeaths) {
    (void)Restart();
    return;
  }
  quick_deaths_ = 0;
  ++keeper_restarts_;
  EndKeeper();
  RecoverSlots();
  AnnounceMissing();
  StandIn();
}

void Keeper::Dispatch(absl::FunctionRef<void(const HeldEvent&)> on_event) {
  queue_->life.fetch_add(1);
  epoll_event events[4];
  const int count = epoll_wait(epoll_.get(), events, 4, 0);
  for (int i = 0; i < count; ++i) {
    switch (events[i].data.u32) {
      case kTimer:
        OnTimer();
        break;
      case kPidfd:
        if (pidfd_.valid()) OnKeeperDeath();
        break;
      case kGroup:
        if (pidfd_.valid() && !timer_armed_) ArmWatchdog();
        break;
      default:
        break;
    }
  }
  if (!pidfd_.valid()) ReadGroup();
  HeldEvent event;
  for (int budget = kDispatchBudget; Next(&event); --budget) {
    on_event(event);
    if (budget == 0) {
      // The doorbell is edge-triggered: ring it for the rest.
      const uint64_t one = 1;
      (void)!write(doorbell_.get(), &one, sizeof(one));
      break;
    }
  }
}

bool Keeper::Next(HeldEvent* event) {
  const uint64_t tail = queue_->tail.load();
  if (tail == queue_->head.load()) return false;
  const uint64_t number = queue_->ring[tail % kHoldSlots].load();
  HoldSlot& slot = queue_->slots[HoldIndex(number)];
  taken_[HoldIndex(number)] = number;
  queue_->tail.store(tail + 1);
  event->number = number;
  event->tid = slot.event.pid;
  event->mask = slot.event.mask;
  event->file = FileId{slot.dev, slot.ino};
  event->read_ns = slot.read_ns;
  event->deadline_ns = slot.read_ns + queue_->deadline_ns;
  event->already_released = StateOf(slot.word.load()) != HoldState::kHeld;
  event->fd = event->already_released ? -1 : slot.event.fd;
  if (event->already_released) {
    slot.daemon_done.store(1);
    FreeIfExpired(slot, number);
  }
  return true;
}

bool Keeper::Release(uint64_t number) {
  HoldSlot& slot = queue_->slots[HoldIndex(number)];
  uint64_t expected = HoldWord(number, HoldState::kHeld);
  if (slot.word.compare_exchange_strong(expected, HoldWord(number, HoldState::kDaemonAnswering))) {
    reader_->Allow(slot.event.fd);
    queue_->answers.fetch_add(1);
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
      queue_->answers.fetch_add(1);
      slot.daemon_done.store(1);
      FreeIfExpired(slot, number);
      return false;
    default:
      return false;
  }
}

absl::StatusOr<Fd> Keeper::Borrow(uint64_t number) {
  const HoldSlot& slot = queue_->slots[HoldIndex(number)];
  const uint64_t held = HoldWord(number, HoldState::kHeld);
  if (slot.word.load() == held) {
    Fd copy(fcntl(slot.event.fd, F_DUPFD_CLOEXEC, 3));
    const int error = errno;
    // Still held after the duplication: then the number meant this file during it.
    if (slot.word.load() == held) {
      if (!copy.valid())
        return ErrnoStatus("duplicate", absl::StrCat("the fd of held event ", number), error);
      return copy;
    }
  }
  return absl::NotFoundError(absl::StrCat("borrow fd: event ", number, " is not held any more"));
}

KeeperStats Keeper::Stats() const {
  KeeperStats stats;
  stats.reads = queue_->reads.load();
  stats.holds = queue_->held.load();
  stats.expired = queue_->expired.load();
  stats.fast_released = queue_->fast_released.load();
  stats.rescued = queue_->rescued.load();
  stats.overflow = queue_->overflow.load();
  stats.table_full = queue_->table_full.load();
  stats.own_reads = queue_->own_reads.load();
  stats.read_errors = queue_->read_errors.load();
  stats.fd_pressure = queue_->fd_pressure.load();
  stats.keeper_restarts = keeper_restarts_.load();
  stats.fds_leaked = fds_leaked_.load();
  stats.daemon_reads = stands_in_.load();
  for (const HoldSlot& slot : queue_->slots) {
    const HoldState state = StateOf(slot.word.load());
    if (state != HoldState::kFree && state != HoldState::kReading) ++stats.holding;
  }
  return stats;
}

}  // namespace roster

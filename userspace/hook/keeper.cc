#include "hook/keeper.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hook/hold_reader.h"
#include "hook/keeper_process.h"
#include "kernel/clock.h"
#include "kernel/errors.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

namespace roster {
namespace {

constexpr size_t kStackSize = 64 * 1024;
constexpr int kDispatchBudget = 256;
constexpr absl::Duration kSpawnRetry = absl::Seconds(1);
constexpr int kQuickDeaths = 5;
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
  ROSTER_RETURN_IF_ERROR(fd_reserve_.Reserve(options_.capacity));
  queue_->capacity = fd_reserve_.reserved();
  // Edge-triggered: the doorbell is never read, and a readable group is the keeper's to read.
  ROSTER_RETURN_IF_ERROR(Watch(doorbell_.get(), EPOLLIN | EPOLLET, kDoorbell));
  ROSTER_RETURN_IF_ERROR(Watch(fanotify_fd_, EPOLLIN | EPOLLET, kGroup));
  ROSTER_RETURN_IF_ERROR(Watch(timer_.get(), EPOLLIN, kTimer));
  reader_ = std::make_unique<HoldReader>(queue_, fanotify_fd_, doorbell_.get(), daemon_pid_);
  consumer_ = std::make_unique<HoldConsumer>(queue_, reader_.get());
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

absl::Status Keeper::Spawn() {
  reader_->AdoptHeld();
  reader_->set_fd_limit(fd_reserve_.keeper_limit());
  KeeperArguments arguments = {};
  arguments.reader = reader_.get();
  arguments.fanotify_fd = fanotify_fd_;
  arguments.daemon_pidfd = daemon_pidfd_.get();
  arguments.fd_limit = fd_reserve_.keeper_limit();
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
  spawned_ns_ = MonotonicNs();
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
  if (getpid() == daemon_pid_ && consumer_ != nullptr) {
    EndKeeper();
    consumer_->Recover();
    (void)fd_reserve_.Take();
    reader_->AllowEverything();
    consumer_->CloseHeld();
  }
  if (queue_ != nullptr) munmap(queue_, sizeof(HoldQueue));
  if (stack_ != nullptr) munmap(stack_, kStackSize);
}

absl::Status Keeper::Restart() {
  if (pidfd_.valid()) ++keeper_restarts_;
  // A killed process executes nothing of ours any more even while it has not gone yet, so its slots
  // may be recovered; only an event that the kernel is just about to give it would be missed.
  EndKeeper();
  consumer_->Recover();
  consumer_->AnnounceMissing();
  absl::Status status = Spawn();
  if (status.ok()) {
    ROSTER_RETURN_IF_ERROR(fd_reserve_.GiveBack());
    ArmWatchdog();
    return absl::OkStatus();
  }
  StandIn();
  return status;
}

// The daemon reads the group itself. It takes the keeper's reserve of fds meanwhile.
void Keeper::StandIn() {
  stands_in_.store(true);
  (void)fd_reserve_.Take();
  reader_->AdoptHeld();
  ReadGroup();
}

void Keeper::ReadGroup() {
  const uint64_t now = MonotonicNs();
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
    if (MonotonicNs() - spawned_ns_ >=
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
  const absl::Duration life = absl::Nanoseconds(static_cast<int64_t>(MonotonicNs() - spawned_ns_));
  quick_deaths_ = life < options_.quick_death ? quick_deaths_ + 1 : 0;
  if (quick_deaths_ < kQuickDeaths) {
    (void)Restart();
    return;
  }
  quick_deaths_ = 0;
  ++keeper_restarts_;
  EndKeeper();
  consumer_->Recover();
  consumer_->AnnounceMissing();
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

bool Keeper::Next(HeldEvent* event) { return consumer_->Next(event); }
bool Keeper::Release(uint64_t number) { return consumer_->Release(number); }
bool Keeper::IsHeld(uint64_t number) const { return consumer_->IsHeld(number); }
absl::StatusOr<Fd> Keeper::Borrow(uint64_t number) { return consumer_->Borrow(number); }

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
  stats.fds_leaked = consumer_->fds_leaked();
  stats.daemon_reads = stands_in_.load();
  stats.holding = consumer_->Holding();
  return stats;
}

}  // namespace roster

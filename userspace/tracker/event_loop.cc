#include "tracker/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "kernel/clock.h"
#include "kernel/errors.h"

namespace roster {
namespace {

// A clock that nobody sets.
absl::Duration MonotonicNow() { return absl::Nanoseconds(static_cast<int64_t>(MonotonicNs())); }

}  // namespace

absl::StatusOr<std::unique_ptr<EventLoop>> EventLoop::Create() {
  std::unique_ptr<EventLoop> loop(new EventLoop);
  loop->epoll_ = Fd(epoll_create1(EPOLL_CLOEXEC));
  loop->timer_ = Fd(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  loop->wakeup_ = Fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!loop->epoll_.valid() || !loop->timer_.valid() || !loop->wakeup_.valid()) {
    return ErrnoStatus("make", "event loop", errno);
  }
  EventLoop* self = loop.get();
  ROSTER_RETURN_IF_ERROR(loop->Watch(loop->timer_.get(), [self] { self->RunTimers(); }));
  ROSTER_RETURN_IF_ERROR(loop->Watch(loop->wakeup_.get(), [self] { self->RunPosted(); }));
  return loop;
}

absl::Status EventLoop::Watch(int fd, std::function<void()> on_readable) {
  struct epoll_event event = {};
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return ErrnoStatus("watch", absl::StrCat("fd ", fd), errno);
  }
  watchers_[fd] = std::make_shared<std::function<void()>>(std::move(on_readable));
  return absl::OkStatus();
}

void EventLoop::Unwatch(int fd) {
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  watchers_.erase(fd);
}

void EventLoop::RunAfter(absl::Duration delay, std::function<void()> run) {
  timers_.emplace(MonotonicNow() + delay, std::move(run));
  ArmTimer();
}

void EventLoop::Post(std::function<void()> work) {
  {
    MutexLock lock(&mutex_);
    posted_.push_back(std::move(work));
  }
  const uint64_t one = 1;
  // Only a counter that is full fails, and that wakes the loop as well.
  (void)!write(wakeup_.get(), &one, sizeof(one));
}

void EventLoop::ArmTimer() {
  struct itimerspec spec = {};
  if (!timers_.empty()) {
    const absl::Duration wait =
        std::max(timers_.begin()->first - MonotonicNow(), absl::Microseconds(1));
    spec.it_value = absl::ToTimespec(wait);
  }
  timerfd_settime(timer_.get(), 0, &spec, nullptr);
}

void EventLoop::RunTimers() {
  uint64_t expirations = 0;
  (void)!read(timer_.get(), &expirations, sizeof(expirations));
  const absl::Duration now = MonotonicNow();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    std::function<void()> run = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    run();
  }
  ArmTimer();
}

void EventLoop::RunPosted() {
  uint64_t count = 0;
  (void)!read(wakeup_.get(), &count, sizeof(count));
  std::vector<std::function<void()>> work;
  {
    MutexLock lock(&mutex_);
    work.swap(posted_);
  }
  for (const std::function<void()>& run : work) run();
}

absl::Status EventLoop::Run() {
  while (!stopped_) {
    struct epoll_event events[64];
    const int n = epoll_wait(epoll_.get(), events, 64, -1);
    if (n < 0 && errno != EINTR) return ErrnoStatus("epoll_wait on", "event loop", errno);
    for (int i = 0; i < n && !stopped_; ++i) {
      const auto it = watchers_.find(events[i].data.fd);
      if (it == watchers_.end()) continue;  // unwatched by an earlier one of this batch
      const std::shared_ptr<std::function<void()>> on_readable = it->second;
      (*on_readable)();
    }
  }
  return absl::OkStatus();
}

void EventLoop::Stop() {
  Post([this] { stopped_ = true; });
}

}  // namespace roster

#include "engines/wait.h"

#include <poll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "kernel/errors.h"

namespace roster::testing {
namespace {

// Milliseconds for poll(2), rounded up, so that a wait never ends before its deadline.
int PollTimeout(absl::Time deadline) {
  if (deadline == absl::InfiniteFuture()) return -1;
  absl::Duration left = deadline - absl::Now();
  if (left <= absl::ZeroDuration()) return 0;
  return static_cast<int>(std::min<int64_t>(
      absl::ToInt64Milliseconds(absl::Ceil(left, absl::Milliseconds(1))), 1 << 30));
}

}  // namespace

absl::Time In(absl::Duration duration) { return absl::Now() + duration * TimeScale(); }

absl::StatusOr<size_t> WaitAny(const std::string& what, const std::vector<int>& fds,
                               absl::Time deadline) {
  std::vector<pollfd> polled;
  for (int fd : fds) polled.push_back({fd, POLLIN, 0});
  while (true) {
    int ready = ::poll(polled.data(), polled.size(), PollTimeout(deadline));
    if (ready < 0 && errno != EINTR) return ErrnoStatus("poll for", what, errno);
    if (ready > 0) {
      for (size_t i = 0; i < polled.size(); ++i) {
        if (polled[i].revents != 0) return i;
      }
    }
    if (ready == 0 && absl::Now() >= deadline) {
      return absl::DeadlineExceededError(absl::StrCat("waited in vain: ", what));
    }
  }
}

absl::Status WaitUntil(const std::string& what, const std::vector<int>& wakers, absl::Time deadline,
                       const std::function<bool()>& condition) {
  while (!condition()) {
    absl::StatusOr<size_t> woken = WaitAny(what, wakers, deadline);
    if (!woken.ok()) return woken.status();
    // A waker that is always readable must not carry the wait past its deadline.
    if (absl::Now() >= deadline && !condition()) {
      return absl::DeadlineExceededError(absl::StrCat("waited in vain: ", what));
    }
  }
  return absl::OkStatus();
}

Ticker::Ticker(absl::Duration interval)
    : fd_(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {
  itimerspec spec{};
  spec.it_interval = absl::ToTimespec(interval);
  spec.it_value = spec.it_interval;
  ::timerfd_settime(fd_.get(), 0, &spec, nullptr);
}

void Ticker::Take() {
  uint64_t expirations = 0;
  while (::read(fd_.get(), &expirations, sizeof(expirations)) > 0) {
  }
}

}  // namespace roster::testing

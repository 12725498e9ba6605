// The one way in which the tests wait: for a condition, woken by file descriptors, until a
// deadline.
//
//   WaitUntil("docker.sock accepts", {inotify.get(), daemon.pidfd()}, In(absl::Seconds(20)),
//             [&] { return Accepts(path); });
//
// Nothing here sleeps for a fixed time. What has no file descriptor to wait on (a map entry that
// the kernel will clear) is waited for with a Ticker among the wakers, which says in the test that
// it is a poll.
#ifndef ROSTER_TESTS_ENGINES_WAIT_H_
#define ROSTER_TESTS_ENGINES_WAIT_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "kernel/fd.h"
#include "scale.h"

namespace roster::testing {

// The time `duration` from now, multiplied by TimeScale(): for waiting only, never for a deadline
// that is under test.
absl::Time In(absl::Duration duration);

// Evaluates `condition` now and each time one of `wakers` becomes readable (or hangs up), until it
// is true. DEADLINE_EXCEEDED names `what`. The condition must take from its wakers what made them
// readable, save for those that stay readable for ever (the pidfd of a dead process), after which
// it must return true.
absl::Status WaitUntil(const std::string& what, const std::vector<int>& wakers, absl::Time deadline,
                       const std::function<bool()>& condition);

// Waits until one of `fds` is readable or hung up; its index. Negative fds are ignored.
absl::StatusOr<size_t> WaitAny(const std::string& what, const std::vector<int>& fds,
                               absl::Time deadline);

// A timerfd that is readable every `interval`. Take() empties it.
class Ticker {
 public:
  explicit Ticker(absl::Duration interval);
  int fd() const { return fd_.get(); }
  void Take();

 private:
  Fd fd_;
};

}  // namespace roster::testing

#endif  // ROSTER_TESTS_ENGINES_WAIT_H_

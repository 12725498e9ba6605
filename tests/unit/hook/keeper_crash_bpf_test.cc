// The keeper is killed, or overtaken, at chosen points on the way of one event.
#include <sys/ptrace.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>

#include "held_exec.h"
#include "hold_fixture.h"
#include "scale.h"

namespace roster {
namespace {

using testing::Repeats;
using testing::TimeScale;

// Steps a traced keeper from one system call's entry or exit to the next.
class Stepper {
 public:
  explicit Stepper(pid_t pid) : pid_(pid) {
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, nullptr);
    EXPECT_EQ(ptrace(PTRACE_SEIZE, pid_, nullptr, nullptr), 0);
    EXPECT_EQ(ptrace(PTRACE_INTERRUPT, pid_, nullptr, nullptr), 0);
    EXPECT_TRUE(WaitStopped());
  }
  // False when the keeper comes to no other system call: it waits for an event.
  bool Step() {
    EXPECT_EQ(ptrace(PTRACE_SYSCALL, pid_, nullptr, nullptr), 0);
    return WaitStopped();
  }
  // False when the instruction is a system call that lasts: it waits for an event. It is stopped
  // there.
  bool StepInstruction() {
    EXPECT_EQ(ptrace(PTRACE_SINGLESTEP, pid_, nullptr, nullptr), 0);
    if (WaitStopped()) return true;
    EXPECT_EQ(ptrace(PTRACE_INTERRUPT, pid_, nullptr, nullptr), 0);
    EXPECT_TRUE(WaitStopped());
    return false;
  }
  // The keeper runs on by itself.
  void Detach() { EXPECT_EQ(ptrace(PTRACE_DETACH, pid_, nullptr, nullptr), 0); }

 private:
  bool WaitStopped() {
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    while (true) {
      siginfo_t info = {};
      if (waitid(P_PID, static_cast<id_t>(pid_), &info, WSTOPPED | WNOHANG | __WALL) != 0)
        return false;
      if (info.si_pid == pid_) return true;
      const timespec patience = {1, 0};
      if (sigtimedwait(&child, nullptr, &patience) < 0 && errno == EAGAIN) return false;
    }
  }
  const pid_t pid_;
};

TEST(KeeperCrash, AtAnySystemCallLosesAndDeniesNothing) {
  constexpr int kAtLeast =
      14;  // read, statx, ring, read, poll; answer, close, ring, each entered and left
  int crashes = 0;
  uint64_t leaked = 0;
  bool all = false;
  for (int steps = 1; !all; ++steps) {
    SCOPED_TRACE(steps);
    ASSERT_LT(steps, 100);
    Hold hold({.deadline = absl::Milliseconds(50) * TimeScale()});
    // Until it has answered one event the keeper may still be settling in.
    HeldExec first(hold.executable);
    hold.keeper->Release(hold.Collect(1)[0].number);
    ASSERT_EQ(first.Outcome(), 0);
    const size_t fds_before = CountOpenFds();

    Stepper stepper(hold.keeper->pid());
    HeldExec exec(hold.executable);
    for (int i = 0; i < steps && !all; ++i) all = !stepper.Step();
    ASSERT_EQ(kill(hold.keeper->pid(), SIGKILL), 0);
    ++crashes;

    std::vector<HeldEvent> events;
    ASSERT_TRUE(hold.DispatchUntil(
        [&] { return !events.empty() && hold.keeper->Stats().keeper_restarts >= 1; },
        [&](const HeldEvent& event) { events.push_back(event); }));
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].tid, exec.pid());
    EXPECT_EQ(events[0].file, hold.file);
    if (!events[0].already_released) hold.keeper->Release(events[0].number);
    EXPECT_TRUE(exec.Decided(kPatience));
    EXPECT_EQ(exec.Outcome(), 0);
    const KeeperStats stats = hold.keeper->Stats();
    EXPECT_EQ(stats.holding, 0u);
    EXPECT_GE(stats.keeper_restarts, 1u);
    // Each HeldExec keeps two fds of its own.
    EXPECT_LE(CountOpenFds(), fds_before + 2 + stats.fds_leaked);
    leaked += stats.fds_leaked;
    // And the next one is held as ever.
    HeldExec next(hold.executable);
    for (const HeldEvent& event : hold.Collect(1)) {
      EXPECT_NE(event.number, events[0].number) << "reported twice";
      EXPECT_TRUE(hold.keeper->Release(event.number));
    }
    EXPECT_EQ(next.Outcome(), 0);
  }
  EXPECT_GE(crashes, kAtLeast);
  EXPECT_LE(leaked, 2u) << "only a crash between answer and close may leave an fd open";
}

// The daemon answers while the keeper is between two instructions of ending the same hold, at each
// of the first so many (each tenth of them in a guest): the swap from HELD has one winner, who
// alone closes the fd.
TEST(KeeperCrash, AnAnswerBetweenAnyTwoInstructionsOfAnExpiryIsDecidedOnce) {
  int by_daemon = 0, by_keeper = 0;
  const absl::Duration deadline = absl::Milliseconds(10) * TimeScale();
  Hold hold({.deadline = deadline});
  const int stride = static_cast<int>(std::max(1.0, TimeScale()));
  for (int steps = 0; by_keeper < Repeats(40); steps += stride) {
    SCOPED_TRACE(steps);
    ASSERT_LT(steps, 5000);
    hold.keeper->Dispatch([](const HeldEvent&) {});
    const uint64_t expired = hold.keeper->Stats().expired;
    HeldExec exec(hold.executable);
    const auto events = hold.Collect(1);
    if (events[0].already_released || hold.keeper->Stats().expired != expired) {
      // The machine was too busy to be in time for this one.
      if (!events[0].already_released) hold.keeper->Release(events[0].number);
      ASSERT_EQ(exec.Outcome(), 0);
      ASSERT_TRUE(hold.DispatchUntilIdle());
      steps -= stride;
      continue;
    }
    // The keeper is interrupted in its wait, and goes on past the deadline.
    Stepper stepper(hold.keeper->pid());
    EXPECT_FALSE(WaitReadable(exec.status_fd(), deadline + absl::Milliseconds(1)));
    // Once it waits again it is through with the expiry.
    for (int i = 0; i < steps && stepper.StepInstruction(); ++i) {
    }
    const bool won = hold.keeper->Release(events[0].number);
    // It gets the number of an fd that the winner has closed.
    const Fd canary(open("/dev/null", O_RDONLY | O_CLOEXEC));
    stepper.Detach();
    EXPECT_EQ(exec.Outcome(), 0);
    ASSERT_TRUE(hold.DispatchUntilIdle());
    // One more event: the keeper is certainly through with the last one.
    HeldExec next(hold.executable);
    const auto last = hold.Collect(1);
    if (!last[0].already_released) hold.keeper->Release(last[0].number);
    EXPECT_EQ(next.Outcome(), 0);
    ASSERT_TRUE(hold.DispatchUntilIdle());
    struct stat st = {};
    ASSERT_EQ(fstat(canary.get(), &st), 0) << "closed by the loser";
    ASSERT_TRUE(S_ISCHR(st.st_mode));
    (won ? by_daemon : by_keeper) += 1;
  }
  EXPECT_GE(by_daemon, Repeats(11));
}

}  // namespace
}  // namespace roster

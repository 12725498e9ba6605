// What happens to held executions when the daemon, in a process of its own, is stopped, killed or
// starved.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <atomic>
#include <csignal>

#include "held_exec.h"
#include "hold_fixture.h"
#include "scale.h"

namespace roster {
namespace {

using testing::TimeScale;

// A daemon in a child process. `answers` tells whether it releases what it sees at once.
class ForkedDaemon {
 public:
  ForkedDaemon(absl::Duration deadline, bool answers) {
    // The keeper of a dead daemon becomes a child of this process instead of pid 1's.
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    executable_ = MakeExecutable(directory_ / "runc");
    void* memory =
        mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    shared_ = new (memory) Shared();
    int ready[2];
    if (pipe2(ready, O_CLOEXEC) != 0) abort();
    pid_ = fork();
    if (pid_ == 0) Run(deadline, answers, ready[1]);
    close(ready[1]);
    char byte;
    EXPECT_EQ(read(ready[0], &byte, 1), 1);
    close(ready[0]);
  }
  ~ForkedDaemon() {
    Kill();
    munmap(shared_, sizeof(Shared));
  }

  void Kill() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  void Stop() {
    ASSERT_EQ(kill(pid_, SIGSTOP), 0);
    int status = 0;
    ASSERT_EQ(waitpid(pid_, &status, WUNTRACED), pid_);
    ASSERT_TRUE(WIFSTOPPED(status));
  }
  void Continue() { ASSERT_EQ(kill(pid_, SIGCONT), 0); }
  const std::string& executable() const { return executable_; }
  pid_t keeper() const { return shared_->keeper.load(); }
  // Blocks until the daemon has seen `count` events.
  void WaitSeen(int count) {
    uint64_t value;
    while (shared_->seen.load() < count &&
           read(seen_.get(), &value, sizeof(value)) == sizeof(value)) {
    }
  }
  int late() const { return shared_->late.load(); }

 private:
  struct Shared {
    std::atomic<pid_t> keeper;
    std::atomic<int> seen;
    std::atomic<int> late;
  };

  [[noreturn]] void Run(absl::Duration deadline, bool answers, int ready) {
    auto group = FanotifyGroup::Create();
    if (!group.ok() || !group->MarkExecutable(executable_).ok()) _exit(1);
    auto keeper = Keeper::Start(group->fd(), {.deadline = deadline});
    if (!keeper.ok()) _exit(1);
    shared_->keeper = (*keeper)->pid();
    (void)!write(ready, "r", 1);
    while (true) {
      WaitReadable((*keeper)->fd(), absl::InfiniteDuration());
      (*keeper)->Dispatch([&](const HeldEvent& event) {
        if (event.already_released) {
          ++shared_->late;
        } else if (answers) {
          (*keeper)->Release(event.number);
        }
        ++shared_->seen;
        const uint64_t one = 1;
        (void)!write(seen_.get(), &one, sizeof(one));
      });
    }
  }

  TempDir directory_;
  std::string executable_;
  Shared* shared_ = nullptr;
  Fd seen_{eventfd(0, EFD_CLOEXEC)};
  pid_t pid_ = -1;
};

TEST(StoppedDaemon, DelaysOneExecByTheDeadlineAndNoneAfterIt) {
  const absl::Duration deadline = absl::Milliseconds(300) * TimeScale();
  ForkedDaemon daemon(deadline, /*answers=*/true);
  HeldExec before(daemon.executable());
  EXPECT_EQ(before.Outcome(), 0);
  EXPECT_LT(before.took(), deadline);
  daemon.Stop();
  HeldExec first(daemon.executable());
  EXPECT_EQ(first.Outcome(), 0);
  EXPECT_GE(first.took(), deadline);
  EXPECT_LT(first.took(), 3 * deadline);
  const absl::Time start = absl::Now();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(HeldExec(daemon.executable()).Outcome(), 0);
  // Held one after the other they would take five deadlines; a busy machine may take its time.
  EXPECT_LT(absl::Now() - start, 3 * deadline) << "five more execs of the same start were held";
  // The daemon hears of all six when it goes on, and holds again.
  daemon.Continue();
  daemon.WaitSeen(7);
  EXPECT_EQ(daemon.late(), 6);
  HeldExec after(daemon.executable());
  EXPECT_EQ(after.Outcome(), 0);
  daemon.WaitSeen(8);
  EXPECT_EQ(daemon.late(), 6);
}

TEST(StoppedDaemon, EightExecsAtOnceAreDelayedByOneDeadlineTogether) {
  const absl::Duration deadline = absl::Milliseconds(300) * TimeScale();
  ForkedDaemon daemon(deadline, /*answers=*/true);
  daemon.Stop();
  std::vector<HeldExec> execs;
  for (int i = 0; i < 8; ++i) execs.emplace_back(daemon.executable());
  const absl::Time start = absl::Now();
  for (HeldExec& exec : execs) EXPECT_EQ(exec.Outcome(), 0);
  EXPECT_LT(absl::Now() - start, 4 * deadline);
}

TEST(KilledDaemon, ReleasesAtOnceAndTheGroupIsGone) {
  ForkedDaemon daemon(kNever, /*answers=*/false);
  HeldExec seen(daemon.executable());
  daemon.WaitSeen(1);
  const Fd keeper = PidfdOpen(daemon.keeper());
  ASSERT_TRUE(keeper.valid());
  EXPECT_FALSE(seen.Decided(absl::Milliseconds(20)));
  const absl::Time start = absl::Now();
  daemon.Kill();
  EXPECT_EQ(seen.Outcome(), 0);
  EXPECT_LT(absl::Now() - start, absl::Milliseconds(500) * TimeScale());
  ASSERT_TRUE(WaitReadable(keeper.get(), kPatience)) << "the keeper outlives its daemon";
  // With the keeper the last fd of the group went: nothing is held any more.
  HeldExec after(daemon.executable());
  EXPECT_EQ(after.Outcome(), 0);
  EXPECT_LT(after.took(), absl::Milliseconds(500) * TimeScale());
}

TEST(KilledDaemon, WhileStoppedReleasesAtOnceToo) {
  ForkedDaemon daemon(kNever, /*answers=*/true);
  daemon.Stop();
  HeldExec exec(daemon.executable());
  EXPECT_FALSE(exec.Decided(absl::Milliseconds(20)));
  daemon.Kill();
  EXPECT_EQ(exec.Outcome(), 0);
}

// Uses up every fd this process may have.
std::vector<Fd> ExhaustFds() {
  std::vector<Fd> fds;
  while (true) {
    Fd fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!fd.valid()) return fds;
    fds.push_back(std::move(fd));
  }
}

TEST(FdExhaustion, NoExecIsDeniedWhileTheDaemonHasNoFdLeft) {
  InChild([] {
    Hold hold({.deadline = kNever});
    std::vector<HeldExec> execs;
    for (int i = 0; i < 40; ++i) execs.emplace_back(hold.executable, /*wait_for_go=*/true);
    const std::vector<Fd> used = ExhaustFds();
    ASSERT_EQ(open("/dev/null", O_RDONLY), -1);
    for (HeldExec& exec : execs) exec.Go();
    for (const HeldEvent& event : hold.Collect(execs.size()))
      EXPECT_TRUE(hold.keeper->Release(event.number));
    for (HeldExec& exec : execs) EXPECT_EQ(exec.Outcome(), 0);
    EXPECT_EQ(hold.keeper->Stats().read_errors, 0u);
    EXPECT_EQ(hold.keeper->Stats().table_full, 0u);
  });
}

TEST(FdExhaustion, ASmallHardLimitMakesTheTableSmallerAndDeniesNothing) {
  InChild([] {
    // Without CAP_SYS_RESOURCE a hard limit cannot be raised again; with it, Start raises it.
    const rlimit small = {120, 120};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &small), 0);
    Hold hold({.deadline = kNever});
    std::vector<HeldExec> execs;
    for (int i = 0; i < 16; ++i) execs.emplace_back(hold.executable, /*wait_for_go=*/true);
    const std::vector<Fd> used = ExhaustFds();
    for (HeldExec& exec : execs) exec.Go();
    size_t finished = 0;
    std::vector<HeldEvent> events;
    for (const HeldEvent& event : hold.Collect(16))
      EXPECT_EQ(event.already_released, !hold.keeper->Release(event.number));
    for (HeldExec& exec : execs) finished += exec.Outcome() == 0;
    EXPECT_EQ(finished, execs.size());
    EXPECT_EQ(hold.keeper->Stats().read_errors, 0u);
  });
}

// Makes clone(CLONE_FILES) without CLONE_VM fail with EAGAIN, as a full pids cgroup would.
void ForbidKeepers() {
  sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[0])),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, CLONE_FILES | CLONE_VM),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CLONE_FILES, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAGAIN),
  };
  const sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};
  ASSERT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  ASSERT_EQ(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

TEST(NoKeeper, TheDaemonReadsTheGroupAndKeepsDeadlines) {
  InChild([] {
    Hold hold({.deadline = absl::Milliseconds(200)});
    HeldExec adopted(hold.executable);
    const auto first = hold.Collect(1);
    ForbidKeepers();
    ASSERT_EQ(kill(hold.keeper->pid(), SIGKILL), 0);
    ASSERT_TRUE(hold.DispatchUntil([&] { return hold.keeper->Stats().daemon_reads; },
                                   [](const HeldEvent&) {}));
    EXPECT_EQ(hold.keeper->pid(), 0);
    EXPECT_TRUE(hold.keeper->Release(first[0].number));
    EXPECT_EQ(adopted.Outcome(), 0);
    HeldExec answered(hold.executable);
    EXPECT_TRUE(hold.keeper->Release(hold.Collect(1)[0].number));
    EXPECT_EQ(answered.Outcome(), 0);
    HeldExec unanswered(hold.executable);
    const auto last = hold.Collect(1);
    EXPECT_TRUE(hold.DispatchUntil([&] { return hold.keeper->Stats().expired == 1; },
                                   [](const HeldEvent&) {}));
    EXPECT_EQ(unanswered.Outcome(), 0);
    EXPECT_FALSE(hold.keeper->Release(last[0].number));
  });
}

TEST(NoKeeper, AKeeperIsTriedAgain) {
  InChild([] {
    Hold hold({.deadline = kNever, .quick_death = absl::Milliseconds(10) * TimeScale()});
    // Several that die at once: the daemon reads for a second, then starts another.
    for (int kills = 0; !hold.keeper->Stats().daemon_reads; ++kills) {
      ASSERT_LT(kills, 1000);
      const uint64_t restarts = hold.keeper->Stats().keeper_restarts;
      ASSERT_EQ(kill(hold.keeper->pid(), SIGKILL), 0);
      ASSERT_TRUE(
          hold.DispatchUntil([&] { return hold.keeper->Stats().keeper_restarts > restarts; },
                             [](const HeldEvent&) {}));
    }
    HeldExec exec(hold.executable);
    EXPECT_TRUE(hold.keeper->Release(hold.Collect(1)[0].number));
    EXPECT_EQ(exec.Outcome(), 0);
    ASSERT_TRUE(
        hold.DispatchUntil([&] { return hold.keeper->pid() > 0; }, [](const HeldEvent&) {}));
    HeldExec next(hold.executable);
    EXPECT_TRUE(hold.keeper->Release(hold.Collect(1)[0].number));
    EXPECT_EQ(next.Outcome(), 0);
  });
}

}  // namespace
}  // namespace roster

#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <map>
#include <memory>
#include <random>
#include <set>

#include "held_exec.h"
#include "hold_fixture.h"
#include "hook/keeper.h"
#include "scale.h"

namespace roster {
namespace {

using testing::Repeats;
using testing::TimeScale;

TEST(Keeper, ExecIsHeldUntilItsAnswer) {
  Hold hold({.deadline = kNever});
  HeldExec exec(hold.executable);
  const auto events = hold.Collect(1);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].tid, exec.pid());
  EXPECT_EQ(events[0].mask, FAN_OPEN_EXEC_PERM);
  EXPECT_EQ(events[0].file, hold.file);
  EXPECT_FALSE(events[0].already_released);
  EXPECT_FALSE(exec.Decided(absl::Milliseconds(50))) << "not held";
  EXPECT_TRUE(hold.keeper->IsHeld(events[0].number));
  EXPECT_TRUE(hold.keeper->Release(events[0].number));
  EXPECT_FALSE(hold.keeper->IsHeld(events[0].number));
  EXPECT_EQ(exec.Outcome(), 0);
  EXPECT_FALSE(hold.keeper->Release(events[0].number)) << "released twice";
  EXPECT_EQ(hold.keeper->Stats().holding, 0u);
}

TEST(Keeper, DeadlineReleasesAndIsCountedAndReleaseSaysSo) {
  Hold hold({.deadline = absl::Milliseconds(50)});
  HeldExec exec(hold.executable);
  const auto events = hold.Collect(1);
  EXPECT_EQ(exec.Outcome(), 0);
  EXPECT_GE(exec.took(), absl::Milliseconds(50));
  EXPECT_FALSE(hold.keeper->IsHeld(events[0].number));
  EXPECT_FALSE(hold.keeper->Release(events[0].number));
  EXPECT_EQ(hold.keeper->Stats().expired, 1u);
  EXPECT_TRUE(hold.DispatchUntilIdle());
}

TEST(Keeper, AnEventNotSeenBeforeItsDeadlineIsReportedAsReleased) {
  Hold hold({.deadline = absl::Milliseconds(20)});
  HeldExec exec(hold.executable);
  EXPECT_EQ(exec.Outcome(), 0);
  const auto events = hold.Collect(1);
  EXPECT_TRUE(events[0].already_released);
  EXPECT_EQ(events[0].fd, -1);
  EXPECT_EQ(events[0].tid, exec.pid());
  EXPECT_EQ(events[0].file, hold.file);
  EXPECT_TRUE(hold.DispatchUntilIdle());
}

// Slow with one event is not stopped: the next event is held as usual.
TEST(Keeper, ASlowAnswerDoesNotCostTheNextExecItsHold) {
  Hold hold({.deadline = absl::Milliseconds(100)});
  HeldExec slow(hold.executable);
  const auto first = hold.Collect(1);
  ASSERT_TRUE(hold.DispatchUntil([&] { return hold.keeper->Stats().expired == 1; },
                                 [](const HeldEvent&) {}));
  EXPECT_EQ(slow.Outcome(), 0);
  hold.keeper->Dispatch([](const HeldEvent&) {});
  HeldExec next(hold.executable);
  const auto second = hold.Collect(1);
  EXPECT_FALSE(second[0].already_released);
  EXPECT_TRUE(hold.keeper->Release(second[0].number));
  EXPECT_FALSE(hold.keeper->Release(first[0].number));
  EXPECT_EQ(next.Outcome(), 0);
}

TEST(Keeper, BorrowedFdReadsTheFileAndIsRefusedOnceReleased) {
  Hold hold({.deadline = kNever});
  HeldExec exec(hold.executable);
  const auto events = hold.Collect(1);
  const auto borrowed = hold.keeper->Borrow(events[0].number);
  ASSERT_TRUE(borrowed.ok()) << borrowed.status();
  struct stat st;
  ASSERT_EQ(fstat(borrowed->get(), &st), 0);
  EXPECT_EQ(st.st_ino, hold.file.ino);
  EXPECT_TRUE(hold.keeper->Release(events[0].number));
  EXPECT_EQ(exec.Outcome(), 0);
  EXPECT_TRUE(absl::IsNotFound(hold.keeper->Borrow(events[0].number).status()));
}

// Each exec ends its hold by its own answer and by no other: the answers come in random order and
// late, so that one released by another's answer is through before its own.
TEST(Keeper, NoAnswerReleasesAnotherExec) {
  const int execs = Repeats(200);
  Hold hold({.deadline = kNever});
  std::mt19937 random(4);
  std::map<pid_t, HeldExec> running;
  std::map<pid_t, bool> answered;
  std::vector<HeldEvent> unanswered;
  const size_t fds_before = CountOpenFds();
  int started = 0, finished = 0, wrong = 0, denied = 0;
  const absl::Time end = absl::Now() + absl::Seconds(100);
  while (finished < execs && absl::Now() < end) {
    while (running.size() < 8 && started < execs) {
      HeldExec exec(hold.executable);
      const pid_t pid = exec.pid();
      answered[pid] = false;
      running.emplace(pid, std::move(exec));
      ++started;
    }
    WaitReadable(hold.keeper->fd(), absl::Milliseconds(random() % 3));
    hold.keeper->Dispatch([&](const HeldEvent& event) { unanswered.push_back(event); });
    for (auto it = running.begin(); it != running.end();) {
      if (it->second.Decided(absl::ZeroDuration())) {
        wrong += !answered[it->first];
        denied += it->second.Outcome() != 0;
        it = running.erase(it);
        ++finished;
      } else {
        ++it;
      }
    }
    if (!unanswered.empty() && random() % 2 == 0) {
      std::swap(unanswered[random() % unanswered.size()], unanswered.back());
      answered[unanswered.back().tid] = true;
      EXPECT_TRUE(hold.keeper->Release(unanswered.back().number));
      unanswered.pop_back();
    }
  }
  EXPECT_EQ(finished, execs);
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(denied, 0);
  EXPECT_EQ(hold.keeper->Stats().holds, static_cast<uint64_t>(execs));
  EXPECT_EQ(hold.keeper->Stats().expired, 0u);
  EXPECT_EQ(CountOpenFds(), fds_before);
}

// Answers that fall on the deadline: one side wins each, nobody closes an fd twice. A second close
// would hit one of the files that are opened all the time, as they get the lowest free number.
TEST(Keeper, AnswersAtTheDeadlineAreDecidedOnce) {
  const int execs = Repeats(600);
  // Scaled, because neither side would ever win where an exec alone takes longer than that.
  const absl::Duration deadline = absl::Milliseconds(20) * TimeScale();
  Hold hold({.deadline = deadline});
  std::mt19937 random(5);
  std::vector<HeldExec> running;
  std::vector<std::pair<uint64_t, absl::Time>> due;
  const size_t fds_before = CountOpenFds();
  std::vector<Fd> canaries;
  int started = 0, denied = 0, finished = 0;
  uint64_t by_daemon = 0, by_keeper = 0, closed_behind = 0;
  const absl::Time end = absl::Now() + absl::Seconds(100);
  while ((finished < execs || by_daemon + by_keeper < static_cast<uint64_t>(execs)) &&
         absl::Now() < end) {
    while (running.size() < 8 && started < execs) {
      running.emplace_back(hold.executable);
      ++started;
    }
    hold.keeper->Dispatch([&](const HeldEvent& event) {
      const absl::Duration wait = deadline * (random() % 1125) / 1000;
      if (event.already_released) {
        ++by_keeper;
      } else {
        due.emplace_back(event.number, absl::Now() + wait);
      }
    });
    for (size_t i = 0; i < due.size();) {
      if (due[i].second > absl::Now()) {
        ++i;
        continue;
      }
      (hold.keeper->Release(due[i].first) ? by_daemon : by_keeper) += 1;
      due.erase(due.begin() + static_cast<long>(i));
    }
    canaries.emplace_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (canaries.size() > 64) {
      for (const Fd& fd : canaries) {
        struct stat st;
        closed_behind += fstat(fd.get(), &st) != 0 || !S_ISCHR(st.st_mode);
      }
      canaries.clear();
    }
    for (size_t i = 0; i < running.size();) {
      if (!running[i].Decided(absl::ZeroDuration())) {
        ++i;
        continue;
      }
      denied += running[i].Outcome() != 0;
      ++finished;
      running.erase(running.begin() + static_cast<long>(i));
    }
  }
  canaries.clear();
  EXPECT_TRUE(hold.DispatchUntilIdle());
  EXPECT_EQ(finished, execs);
  EXPECT_EQ(denied, 0);
  EXPECT_EQ(closed_behind, 0u);
  EXPECT_EQ(by_daemon + by_keeper, static_cast<uint64_t>(execs));
  EXPECT_EQ(hold.keeper->Stats().expired, by_keeper);
  EXPECT_EQ(CountOpenFds(), fds_before);
  // Otherwise there was no race.
  EXPECT_GT(by_daemon, 0u);
  EXPECT_GT(by_keeper, 0u);
}

TEST(Keeper, FullTableAllowsAtOnceAndCounts) {
  Hold hold({.deadline = kNever, .capacity = 4});
  std::vector<HeldExec> held;
  for (int i = 0; i < 4; ++i) held.emplace_back(hold.executable);
  const auto events = hold.Collect(4);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(HeldExec(hold.executable).Outcome(), 0);
  EXPECT_EQ(hold.keeper->Stats().table_full, 3u);
  EXPECT_FALSE(held[0].Decided(absl::ZeroDuration()));
  for (const HeldEvent& event : events) EXPECT_TRUE(hold.keeper->Release(event.number));
  for (HeldExec& exec : held) EXPECT_EQ(exec.Outcome(), 0);
  HeldExec after(hold.executable);
  EXPECT_TRUE(hold.keeper->Release(hold.Collect(1)[0].number));
  EXPECT_EQ(after.Outcome(), 0);
}

TEST(Keeper, DestructionReleasesWhatIsHeld) {
  Hold hold({.deadline = kNever});
  HeldExec exec(hold.executable);
  hold.Collect(1);
  const Fd pidfd = PidfdOpen(hold.keeper->pid());
  hold.keeper.reset();
  EXPECT_EQ(exec.Outcome(), 0);
  EXPECT_TRUE(!pidfd.valid() || WaitReadable(pidfd.get(), absl::ZeroDuration()))
      << "the keeper is still there";
}

TEST(Keeper, KilledKeeperIsReplacedAndNoExecIsLostOrDenied) {
  Hold hold({.deadline = kNever});
  std::vector<HeldExec> execs;
  for (int i = 0; i < 3; ++i) execs.emplace_back(hold.executable);
  auto events = hold.Collect(3);
  const pid_t first = hold.keeper->pid();
  ASSERT_EQ(kill(first, SIGKILL), 0);
  for (int i = 0; i < 3; ++i) execs.emplace_back(hold.executable);
  for (const HeldEvent& event : hold.Collect(3)) events.push_back(event);
  ASSERT_EQ(events.size(), 6u);
  EXPECT_NE(hold.keeper->pid(), first);
  EXPECT_EQ(hold.keeper->Stats().keeper_restarts, 1u);
  for (const HeldExec& exec : execs) EXPECT_FALSE(exec.Decided(absl::ZeroDuration()));
  for (const HeldEvent& event : events) EXPECT_TRUE(hold.keeper->Release(event.number));
  for (HeldExec& exec : execs) EXPECT_EQ(exec.Outcome(), 0);
}

TEST(Keeper, TheNextKeeperKeepsTheDeadlinesOfTheDeadOne) {
  Hold hold({.deadline = absl::Milliseconds(300)});
  HeldExec exec(hold.executable);
  hold.Collect(1);
  ASSERT_EQ(kill(hold.keeper->pid(), SIGKILL), 0);
  ASSERT_TRUE(hold.DispatchUntil([&] { return hold.keeper->Stats().keeper_restarts == 1; },
                                 [](const HeldEvent&) {}));
  EXPECT_EQ(exec.Outcome(), 0);
  EXPECT_GE(exec.took(), absl::Milliseconds(300));
  EXPECT_LT(exec.took(), absl::Seconds(5));
}

// Keepers are killed at arbitrary instructions while 8 execs at a time go through.
TEST(Keeper, KeepersKilledAnywhereLoseNothing) {
  const int enough = Repeats(60);
  // So that a keeper is not taken for one that dies at once.
  const absl::Duration life = absl::Milliseconds(12) * TimeScale();
  Hold hold({.deadline = absl::Seconds(10)});
  std::mt19937 random(6);
  std::vector<HeldExec> running;
  const size_t fds_before = CountOpenFds();
  int started = 0, finished = 0, denied = 0, kills = 0, events = 0;
  absl::Time next_kill = absl::Now() + life;
  const absl::Time end = absl::Now() + absl::Seconds(100);
  while ((kills < enough || !running.empty()) && absl::Now() < end) {
    while (running.size() < 8 && kills < enough) {
      running.emplace_back(hold.executable);
      ++started;
      if (absl::Now() < next_kill || hold.keeper->pid() == 0) continue;
      const absl::Time moment = absl::Now() + absl::Microseconds(random() % 300);
      while (absl::Now() < moment) {
      }
      kill(hold.keeper->pid(), SIGKILL);
      ++kills;
      next_kill = absl::Now() + life;
    }
    WaitReadable(hold.keeper->fd(), absl::Milliseconds(5));
    hold.keeper->Dispatch([&](const HeldEvent& event) {
      ++events;
      if (!event.already_released) hold.keeper->Release(event.number);
    });
    for (size_t i = 0; i < running.size();) {
      if (!running[i].Decided(absl::ZeroDuration())) {
        ++i;
        continue;
      }
      denied += running[i].Outcome() != 0;
      ++finished;
      running.erase(running.begin() + static_cast<long>(i));
    }
  }
  const KeeperStats stats = hold.keeper->Stats();
  EXPECT_EQ(finished, started);
  EXPECT_EQ(denied, 0);
  EXPECT_EQ(events, started);
  EXPECT_EQ(stats.expired, 0u) << "an event waited for its deadline";
  EXPECT_GE(stats.keeper_restarts, static_cast<uint64_t>(enough / 6));
  EXPECT_EQ(stats.holding, 0u);
  EXPECT_LE(CountOpenFds(), fds_before + stats.fds_leaked);
}

TEST(Keeper, StoppedKeeperIsReplacedBeforeTheDeadline) {
  Hold hold({.deadline = absl::Seconds(2)});
  const pid_t first = hold.keeper->pid();
  ASSERT_EQ(kill(first, SIGSTOP), 0);
  HeldExec exec(hold.executable);
  const auto events = hold.Collect(1);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_NE(hold.keeper->pid(), first);
  EXPECT_TRUE(hold.keeper->Release(events[0].number));
  EXPECT_EQ(exec.Outcome(), 0);
  EXPECT_LT(exec.took(), absl::Seconds(2));
  EXPECT_EQ(kill(first, 0), -1) << "the stopped keeper is still there";
}

TEST(Keeper, TerminalSignalsDoNotEndIt) {
  Hold hold({.deadline = kNever});
  const pid_t pid = hold.keeper->pid();
  HeldExec before(hold.executable);
  EXPECT_TRUE(hold.keeper->Release(hold.Collect(1)[0].number));
  EXPECT_EQ(before.Outcome(), 0);
  EXPECT_EQ(getpgid(pid), pid);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP})
    ASSERT_EQ(kill(pid, signal), 0);
  HeldExec exec(hold.executable);
  EXPECT_TRUE(hold.keeper->Release(hold.Collect(1)[0].number));
  EXPECT_EQ(exec.Outcome(), 0);
  EXPECT_EQ(hold.keeper->pid(), pid);
  EXPECT_EQ(hold.keeper->Stats().keeper_restarts, 0u);
}

TEST(Keeper, TheDaemonsOwnReadsAreNotHeld) {
  Hold hold({.deadline = kNever});
  WriteFile(hold.directory / "pid", "1");
  const Fd directory(open(hold.directory.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_TRUE(
      hold.group->AddDirectoryAccess(directory.get(), "exempt", hold.directory.path()).ok());
  std::ifstream file(hold.directory / "pid");
  std::string text;
  EXPECT_TRUE(std::getline(file, text));
  EXPECT_EQ(text, "1");
  EXPECT_GE(hold.keeper->Stats().own_reads, 1u);
  EXPECT_EQ(hold.keeper->Stats().holds, 0u);
}

TEST(Keeper, OptionsOutOfRangeAndBlockingGroupsAreRefused) {
  Hold hold({.deadline = kNever});
  EXPECT_TRUE(absl::IsInvalidArgument(
      Keeper::Start(hold.group->fd(), {.deadline = absl::ZeroDuration()}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Keeper::Start(hold.group->fd(), {.capacity = 0}).status()));
  EXPECT_TRUE(
      absl::IsInvalidArgument(Keeper::Start(hold.group->fd(), {.capacity = kHoldSlots}).status()));
  const Fd blocking(eventfd(0, EFD_CLOEXEC));
  EXPECT_TRUE(absl::IsInvalidArgument(Keeper::Start(blocking.get(), {}).status()));
  EXPECT_FALSE(Keeper::Start(-1, {}).ok());
}

}  // namespace
}  // namespace roster

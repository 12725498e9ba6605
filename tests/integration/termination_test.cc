// The end of a container is told within 50 ms of its last task's end, and its name kept for a
// while.
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engines/host_state.h"
#include "engines/image.h"
#include "integration/roster_test_base.h"

namespace roster::testing {
namespace {

constexpr absl::Duration kLimit = absl::Milliseconds(50);

// pidfds of the children of `pid`, and of itself.
std::vector<Fd> Family(pid_t pid) {
  std::vector<Fd> pidfds;
  pidfds.emplace_back(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  std::ifstream children(absl::StrCat("/proc/", pid, "/task/", pid, "/children"));
  for (pid_t child; children >> child;) {
    pidfds.emplace_back(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  }
  return pidfds;
}

class Termination : public RosterTestBase, public ::testing::WithParamInterface<EngineKind> {
 protected:
  // Of a container that is killed: from its last task's end to the arrival of DELETED at a watcher.
  absl::StatusOr<absl::Duration> EndToEvent(Watch* watch, const ContainerSpec& spec,
                                            size_t processes) {
    absl::StatusOr<std::string> id = engine_->Run(spec);
    if (!id.ok()) return id.status();
    absl::StatusOr<Watch::Event> created = watch->Await("CREATED", *id, In(absl::Seconds(10)));
    if (!created.ok()) return created.status();
    absl::StatusOr<pid_t> pid = engine_->Pid(spec.name);
    if (!pid.ok()) return pid.status();
    std::vector<Fd> family;
    Ticker ticker(absl::Milliseconds(2));
    absl::Status grown =
        WaitUntil("the container's processes", {ticker.fd()}, In(absl::Seconds(5)), [&] {
          ticker.Take();
          family = Family(*pid);
          return family.size() >= processes;
        });
    if (!grown.ok()) return grown;
    ::syscall(SYS_pidfd_send_signal, family[0].get(), SIGKILL, nullptr, 0);
    for (const Fd& pidfd : family) {
      absl::Status ended = WaitAny("end of a task", {pidfd.get()}, In(absl::Seconds(10))).status();
      if (!ended.ok()) return ended;
    }
    const absl::Time end = absl::Now();
    absl::StatusOr<Watch::Event> deleted = watch->Await("DELETED", *id, In(absl::Seconds(10)));
    if (!deleted.ok()) return deleted.status();
    absl::Status removed = engine_->Remove(spec.name);
    if (!removed.ok()) return removed;
    return deleted->arrived - end;
  }

  void ExpectSoon(const std::vector<std::string>& arguments, size_t processes) {
    StartAll(GetParam());
    if (HasFatalFailure()) return;
    auto anchor = engine_->Run({"anchor", {MarkerPath(0), "wait"}});
    ROSTER_ASSERT_OK(anchor);
    ROSTER_ASSERT_OK(roster_->AwaitList("the anchor", In(absl::Seconds(5)),
                                        [&](const auto& list) { return list.contains(*anchor); }));
    auto watch = roster_->StartWatch(*anchor);
    ROSTER_ASSERT_OK(watch);
    std::vector<absl::Duration> delays;
    for (int i = 0; i < StartCount(); ++i) {
      auto delay = EndToEvent(watch->get(), {absl::StrCat("c", i), arguments}, processes);
      ROSTER_ASSERT_OK(delay);
      delays.push_back(*delay);
    }
    std::cout << "  end to DELETED: p50 " << Quantile(delays, 0.5) << ", max "
              << Quantile(delays, 1) << "\n";
    EXPECT_LE(Quantile(delays, 1), kLimit * TimeScale());
    ROSTER_ASSERT_OK(engine_->Remove("anchor"));
    watch->reset();
    ExpectNothingLeft();
  }
};

TEST_P(Termination, OfOneProcessIsToldWithinFiftyMilliseconds) {
  ExpectSoon({MarkerPath(1), "wait"}, 1);
}

TEST_P(Termination, OfACrowdIsToldWithinFiftyMillisecondsOfTheLast) {
  ExpectSoon({MarkerPath(1), "crowd", "3"}, 4);
}

class Tombstone : public RosterTestBase {};

TEST_F(Tombstone, NamesTheDeadForFiveSecondsAndIsGoneThen) {
  StartAll(EngineKind::kCrun);
  if (HasFatalFailure()) return;
  auto dead = StartContainers(engine_.get(), StartMode::kRun, 1, 1, "dead", 1, observer_.get());
  ROSTER_ASSERT_OK(dead);
  const uint64_t handle = (*dead)[0].call.by_task.handle;
  ROSTER_ASSERT_OK(RemoveContainers(engine_.get(), *dead, 1));
  Ticker ticker(absl::Milliseconds(20));
  absl::StatusOr<roster_record> seen = absl::NotFoundError("no tombstone");
  absl::Time gone;
  ROSTER_ASSERT_OK(WaitUntil("the end of the tombstone", {ticker.fd()}, In(absl::Seconds(15)), [&] {
    ticker.Take();
    const absl::StatusOr<roster_record> record = roster_->Record(handle);
    if (record.ok() && (record->flags & ROSTER_R_TOMBSTONE) != 0) seen = record;
    gone = absl::Now();
    return !record.ok();
  }));
  ROSTER_ASSERT_OK(seen);
  EXPECT_STREQ(seen->id, "dead0");
  const absl::Time ended = absl::FromUnixNanos(static_cast<int64_t>(seen->ended_at_ns));
  EXPECT_GE(gone - ended, absl::Milliseconds(4900));
  EXPECT_LE(gone - ended, absl::Seconds(5) + absl::Seconds(2) * TimeScale());
  ExpectNothingLeft();
}

INSTANTIATE_TEST_SUITE_P(All, Termination, ::testing::ValuesIn(kAllEngines),
                         [](const auto& info) { return EngineName(info.param); });

}  // namespace
}  // namespace roster::testing

// A daemon that is stopped, dead, or not there: starts go on, the kernel alone knows each container
// from its first instruction, and the daemon learns who they are afterwards.
#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engines/oci_engine.h"
#include "integration/exec_times.h"
#include "integration/lateness.h"
#include "integration/roster_test_base.h"
#include "kernel/errors.h"

namespace roster::testing {
namespace {

constexpr absl::Duration kDeadline =
    absl::Milliseconds(100);  // the daemon's default, given to it all the same

// Containers between one stop of the daemon and the next; as many start with a daemon that answers,
// in turns, so that a machine that becomes busy is so for both.
constexpr int kGroup = 10;

// The scheduler is asked about a second before and after a start, too: the test's own sleeper and
// the keeper wait for processors of their own.
constexpr uint64_t kAround = 1'000'000'000;

// What one start cost.
struct Delay {
  absl::Duration in_execs;  // of all runtimes' execs
  int execs = 0;
  absl::Duration start;     // the engine's command
  absl::Duration lateness;  // how late somebody who slept was woken meanwhile, at worst
};
using Delays = std::vector<Delay>;

absl::Duration QuantileOf(const Delays& delays, absl::Duration Delay::*field, double part) {
  std::vector<absl::Duration> times;
  for (const Delay& delay : delays) times.push_back(delay.*field);
  return Quantile(std::move(times), part);
}
absl::Duration Most(const Delays& delays) { return QuantileOf(delays, &Delay::in_execs, 1); }
absl::Duration Median(const Delays& delays) { return QuantileOf(delays, &Delay::in_execs, 0.5); }
absl::Duration MedianStart(const Delays& delays) { return QuantileOf(delays, &Delay::start, 0.5); }

class AbsentDaemon : public RosterTestBase, public ::testing::WithParamInterface<EngineKind> {
 protected:
  void SetUp() override {
    // Like the daemon's: where the scheduler groups tasks by session, a session that shares its
    // part with nobody would see other delays than the keeper does. Fails for a session's leader.
    (void)::setsid();
    RosterTestBase::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    StartAll(GetParam(), {"--hold-deadline", absl::FormatDuration(kDeadline)});
  }

  // Starts `count` containers, one at a time, and adds to `delays` what their runtimes' execs took
  // together.
  absl::StatusOr<std::vector<StartedContainer>> StartTimed(const std::string& prefix, int marker,
                                                           int count, ExecTimes* times,
                                                           const Lateness& lateness,
                                                           Delays* delays) {
    ROSTER_RETURN_IF_ERROR(times->Take().status());
    auto containers =
        StartContainers(engine_.get(), StartMode::kRun, count, 1, prefix, marker, observer_.get());
    if (!containers.ok()) return containers;
    ROSTER_ASSIGN_OR_RETURN(const std::vector<ExecTime> execs, times->Take());
    for (const StartedContainer& container : *containers) {
      Delay delay;
      const uint64_t end =
          container.began_ns + static_cast<uint64_t>(absl::ToInt64Nanoseconds(container.took));
      for (const ExecTime& exec : execs) {
        if (exec.start_ns < container.began_ns || exec.start_ns > end) continue;
        delay.in_execs += exec.took;
        ++delay.execs;
      }
      delay.start = container.took;
      delay.lateness = lateness.WorstBetween(container.began_ns - kAround, end + kAround);
      delays->push_back(delay);
    }
    return containers;
  }

  // Every single start: its runtimes' execs took no longer than they may be held, `held`, and
  // beyond that what they take when they are answered and what this machine's scheduler added at
  // that time. An exec that is held waits for a processor three times: for the keeper that reads
  // the event, for its timer, and when it goes on.
  void ExpectNoLongerDelay(const Delays& usual, const Delays& absent, absl::Duration held) {
    const absl::Duration answered = Most(usual);
    for (size_t i = 0; i < absent.size(); ++i) {
      EXPECT_GT(absent[i].execs, 0) << "start " << i << " executed no runtime";
      EXPECT_LE(absent[i].in_execs, held + answered + 3 * absent[i].lateness)
          << "start " << i << ", " << absent[i].execs << " execs; answered, all of a start's took "
          << answered << " at most; the worst wake-up came " << absent[i].lateness << " late";
    }
    std::cout << "  " << EngineName(GetParam()) << ", " << absent.size()
              << " starts: runtimes' execs of a start p50 " << Median(absent) << ", most "
              << Most(absent) << " (answered: " << Median(usual) << ", " << answered
              << "); worst wake-up p50 " << QuantileOf(absent, &Delay::lateness, 0.5)
              << " late, most " << QuantileOf(absent, &Delay::lateness, 1) << "; start p50 "
              << MedianStart(absent) << " (" << MedianStart(usual) << ")\n";
  }

  void ExpectNobodyMissed(const std::vector<StartedContainer>& containers) {
    Verdict verdict = Decide(containers);
    std::cout << "  " << ToText({verdict.by_task, verdict.by_mntns, verdict.by_cgroup, {}}) << "\n";
    const int count = static_cast<int>(containers.size());
    for (const Tally& tally : {verdict.by_task, verdict.by_mntns, verdict.by_cgroup}) {
      EXPECT_EQ(tally.right + tally.unnamed, count) << ToText(verdict);
    }
  }

  // One more, whose name a tracer that was there before this daemon finds at its first instruction:
  // the pins are still the same, and somebody holds runtimes again.
  void ExpectAnnounced() {
    const uint64_t expired = roster_->Stat(ROSTER_STAT_HOLDS_EXPIRED).value_or(0);
    auto next = StartContainers(engine_.get(), StartMode::kRun, 1, 1, "next", 901, observer_.get());
    ROSTER_ASSERT_OK(next);
    const FirstCall& call = next->front().call;
    // Without a name only where the machine was late, as in starts_test.
    const bool late = roster_->Stat(ROSTER_STAT_HOLDS_EXPIRED).value_or(0) > expired;
    for (const Found* found : {&call.by_task, &call.by_mntns, &call.by_cgroup}) {
      EXPECT_NE(found->handle, 0U);
      if (!late) {
        EXPECT_EQ(found->id, next->front().id);
      }
    }
    ROSTER_ASSERT_OK(RemoveContainers(engine_.get(), *next, 1));
  }

  void ExpectResolved(const std::vector<StartedContainer>& containers) {
    ROSTER_EXPECT_OK(roster_->AwaitList(
        "exactly the containers that run", In(absl::Seconds(10)), [&](const auto& list) {
          if (list.size() != containers.size()) return false;
          for (const StartedContainer& container : containers) {
            auto found = list.find(container.id);
            if (found == list.end() || NumberField(found->second, "mntns") != container.call.mntns)
              return false;
          }
          return true;
        }));
  }
};

TEST_P(AbsentDaemon, StoppedDaemonDelaysNoStartByMoreThanTheDeadline) {
  auto times = ExecTimes::Attach();
  ROSTER_ASSERT_OK(times);
  Delays usual, absent;
  std::vector<StartedContainer> everyone;
  Lateness lateness;
  for (int begin = 0; begin < StartCount(); begin += kGroup) {
    const int size = std::min(kGroup, StartCount() - begin);
    auto answered = StartTimed("usual", 900, size, times->get(), lateness, &usual);
    ROSTER_ASSERT_OK(answered);
    ROSTER_ASSERT_OK(RemoveContainers(engine_.get(), *answered, kGroup));
    ROSTER_ASSERT_OK(roster_->Pause());
    auto containers =
        StartTimed(absl::StrCat("c", begin, "-"), begin, size, times->get(), lateness, &absent);
    absl::Status continued = roster_->Continue();
    ROSTER_ASSERT_OK(containers);
    ROSTER_ASSERT_OK(continued);
    ExpectResolved(*containers);
    ROSTER_ASSERT_OK(RemoveContainers(engine_.get(), *containers, kGroup));
    everyone.insert(everyone.end(), containers->begin(), containers->end());
  }
  ExpectNoLongerDelay(usual, absent, kDeadline);
  // The daemon was stopped while runtimes were held, or this has shown nothing.
  EXPECT_GE(Most(absent), kDeadline);
  ExpectNobodyMissed(everyone);
  ExpectNothingLeft();
}

TEST_P(AbsentDaemon, DeadDaemonDelaysNothingAndTheNextOneResolvesWhatItMissed) {
  auto times = ExecTimes::Attach();
  ROSTER_ASSERT_OK(times);
  Delays usual, absent;
  std::vector<StartedContainer> everyone;
  Lateness lateness;
  for (int begin = 0; begin < StartCount(); begin += 2 * kGroup) {
    const int size = std::min(2 * kGroup, StartCount() - begin);
    auto answered = StartTimed("usual", 900, size, times->get(), lateness, &usual);
    ROSTER_ASSERT_OK(answered);
    ROSTER_ASSERT_OK(RemoveContainers(engine_.get(), *answered, kGroup));
    ROSTER_ASSERT_OK(roster_->Kill());
    auto containers =
        StartTimed(absl::StrCat("c", begin, "-"), begin, size, times->get(), lateness, &absent);
    ROSTER_ASSERT_OK(containers);
    // Half of them end before there is a daemon again.
    const auto half = containers->begin() + size / 2;
    std::vector<StartedContainer> ended(containers->begin(), half);
    std::vector<StartedContainer> living(half, containers->end());
    ROSTER_ASSERT_OK(RemoveContainers(engine_.get(), ended, kGroup));
    ROSTER_ASSERT_OK(roster_->Start());
    ExpectResolved(living);
    ExpectAnnounced();
    ROSTER_ASSERT_OK(RemoveContainers(engine_.get(), living, kGroup));
    everyone.insert(everyone.end(), containers->begin(), containers->end());
  }
  // The promise is the deadline. Usually nothing is held at all: the keeper ends with the daemon.
  ExpectNoLongerDelay(usual, absent, kDeadline);
  EXPECT_LE(Median(absent), Median(usual) + kDeadline / 4);
  ExpectNobodyMissed(everyone);
  ExpectNothingLeft();
}

TEST_P(AbsentDaemon, ContainersThatRanBeforeTheFirstDaemonAreAdopted) {
  // As if there had never been one. What a bare runtime was told of where to keep its states is
  // then known to nobody, so it keeps them in its usual place.
  observer_.reset();
  if (GetParam() == EngineKind::kRunc || GetParam() == EngineKind::kCrun) {
    ROSTER_ASSERT_OK(engine_->Stop());
    engine_ = std::make_unique<OciEngine>(EngineName(GetParam()), *workspace_,
                                          OciEngine::States::kDefault);
    ROSTER_ASSERT_OK(engine_->Start());
  }
  ROSTER_ASSERT_OK(roster_->Terminate());
  ROSTER_ASSERT_OK(roster_->Uninstall());
  auto observer = Observer::Attach(Observer::Kind::kStranger, "");
  ROSTER_ASSERT_OK(observer);
  auto containers = StartContainers(engine_.get(), StartMode::kRun, 5, 1,
                                    workspace_->unique_name() + "-c", 0, observer->get());
  ROSTER_ASSERT_OK(containers);
  ROSTER_ASSERT_OK(roster_->Start());
  ExpectResolved(*containers);
  // Their tasks too: a process that one of them starts now is found.
  Observe(Observer::Kind::kHeader);
  auto code = engine_->Exec(workspace_->unique_name() + "-c0", {"/rc77", "exit", "3"});
  ROSTER_ASSERT_OK(code);
  EXPECT_EQ(*code, 3);
  auto call = observer_->Await(77, In(absl::Seconds(10)));
  ROSTER_ASSERT_OK(call);
  EXPECT_EQ(call->by_mntns.id, (*containers)[0].id);
  EXPECT_EQ(call->by_task.id, (*containers)[0].id);
  ROSTER_ASSERT_OK(RemoveContainers(engine_.get(), *containers, 4));
  ROSTER_EXPECT_OK(roster_->AwaitList("an empty list", In(absl::Seconds(5)),
                                      [](const auto& list) { return list.empty(); }));
}

INSTANTIATE_TEST_SUITE_P(All, AbsentDaemon, ::testing::ValuesIn(kAllEngines),
                         [](const auto& info) { return EngineName(info.param); });

}  // namespace
}  // namespace roster::testing

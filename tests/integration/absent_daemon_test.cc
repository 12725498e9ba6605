// A daemon that is stopped, dead, or not there: starts go on, the kernel alone knows each container
// from its first instruction, and the daemon learns who they are afterwards.
#include <bpf/bpf.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engines/oci_engine.h"
#include "integration/roster_test_base.h"

namespace roster::testing {
namespace {

constexpr absl::Duration kDeadline =
    absl::Milliseconds(100);  // the daemon's default, given to it all the same

// How many execs of runtimes one start needs at most, each of which may be held until the deadline.
int HoldsPerStart(EngineKind kind) {
  switch (kind) {
    case EngineKind::kRunc:
      return 1;
    case EngineKind::kCrun:
      return 2;  // it executes itself again
    case EngineKind::kContainerd:
      return 4;  // create and start, and what the shim asks besides
    case EngineKind::kDocker:
      return 4;
    case EngineKind::kPodman:
      return 6;  // conmon, and crun twice for each of create and start
  }
  return 1;
}

class AbsentDaemon : public RosterTestBase, public ::testing::WithParamInterface<EngineKind> {
 protected:
  void SetUp() override {
    RosterTestBase::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    StartAll(GetParam(), {"--hold-deadline", absl::FormatDuration(kDeadline)});
  }

  // How long a start takes with a daemon that answers.
  absl::Duration UsualStart() {
    auto usual =
        StartContainers(engine_.get(), StartMode::kRun, 5, 1, "usual", 900, observer_.get());
    EXPECT_TRUE(usual.ok()) << usual.status();
    if (!usual.ok()) return absl::ZeroDuration();
    EXPECT_TRUE(RemoveContainers(engine_.get(), *usual, 5).ok());
    return Quantile(StartTimes(*usual), 0.5);
  }

  void ExpectNobodyMissed(const std::vector<StartedContainer>& containers) {
    Verdict verdict = Decide(containers);
    std::cout << "  " << ToText({verdict.by_task, verdict.by_mntns, verdict.by_cgroup, {}}) << "\n";
    const int count = static_cast<int>(containers.size());
    for (const Tally& tally : {verdict.by_task, verdict.by_mntns, verdict.by_cgroup}) {
      EXPECT_EQ(tally.right + tally.unnamed, count) << ToText(verdict);
    }
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

TEST_P(AbsentDaemon, StoppedDaemonDelaysStartsByNoMoreThanTheDeadline) {
  const absl::Duration usual = UsualStart();
  ROSTER_ASSERT_OK(roster_->Pause());
  auto containers =
      StartContainers(engine_.get(), StartMode::kRun, StartCount(), 1, "c", 0, observer_.get());
  absl::Status continued = roster_->Continue();
  ROSTER_ASSERT_OK(containers);
  ROSTER_ASSERT_OK(continued);
  const absl::Duration p50 = Quantile(StartTimes(*containers), 0.5);
  std::cout << "  start p50: usual " << usual << ", with the daemon stopped " << p50 << "\n";
  // Half a deadline for the noise of a loaded machine.
  EXPECT_LE(p50 - usual, (HoldsPerStart(GetParam()) + 0.5) * kDeadline);
  ExpectNobodyMissed(*containers);
  ExpectResolved(*containers);
  ROSTER_ASSERT_OK(RemoveContainers(engine_.get(), *containers, 4));
  ExpectNothingLeft();
}

TEST_P(AbsentDaemon, DeadDaemonDelaysNothingAndTheNextOneResolvesWhatItMissed) {
  const absl::Duration usual = UsualStart();
  ROSTER_ASSERT_OK(roster_->Kill());
  auto containers =
      StartContainers(engine_.get(), StartMode::kRun, StartCount(), 1, "c", 0, observer_.get());
  ROSTER_ASSERT_OK(containers);
  const absl::Duration p50 = Quantile(StartTimes(*containers), 0.5);
  std::cout << "  start p50: usual " << usual << ", without a daemon " << p50 << "\n";
  EXPECT_LE(p50 - usual, 0.5 * kDeadline);
  ExpectNobodyMissed(*containers);

  // Half of them end before there is a daemon again.
  const size_t half = containers->size() / 2;
  std::vector<StartedContainer> ended(containers->begin(), containers->begin() + half);
  std::vector<StartedContainer> living(containers->begin() + half, containers->end());
  ROSTER_ASSERT_OK(RemoveContainers(engine_.get(), ended, 4));
  ROSTER_ASSERT_OK(roster_->Start());
  ExpectResolved(living);
  ROSTER_ASSERT_OK(RemoveContainers(engine_.get(), living, 4));
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

// That the tests above can fail: with neither daemon nor kernel hook every look-up misses.
class BrokenOnPurpose : public RosterTestBase {};

TEST_F(BrokenOnPurpose, WithoutTheProgramsEveryContainerIsMissed) {
  StartAll(EngineKind::kRunc);
  if (HasFatalFailure()) return;
  ROSTER_ASSERT_OK(roster_->Kill());
  int removed = 0;
  std::error_code ignored;
  std::vector<std::filesystem::path> pins;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(roster_->pin_directory(), ignored)) {
    if (!entry.is_directory()) pins.push_back(entry.path());
  }
  for (const auto& path : pins) {
    Fd pin(bpf_obj_get(path.c_str()));
    std::string kind =
        std::filesystem::read_symlink(absl::StrCat("/proc/self/fd/", pin.get()), ignored);
    if (absl::StrContains(kind, "bpf_link") || absl::StrContains(kind, "bpf-link")) {
      removed += ::unlink(path.c_str()) == 0;
    }
  }
  EXPECT_GT(removed, 0) << "the kernel hook's links are pinned";
  auto containers = StartContainers(engine_.get(), StartMode::kRun, 5, 1, "c", 0, observer_.get());
  ROSTER_ASSERT_OK(containers);
  Verdict verdict = Decide(*containers);
  EXPECT_EQ(verdict.by_task.missed, 5) << ToText(verdict);
  EXPECT_EQ(verdict.by_mntns.missed, 5) << ToText(verdict);
  EXPECT_EQ(verdict.by_cgroup.missed, 5) << ToText(verdict);
  ROSTER_ASSERT_OK(RemoveContainers(engine_.get(), *containers, 5));
}

}  // namespace
}  // namespace roster::testing

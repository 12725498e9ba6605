// That the other tests can fail: what an observer finds when a part of Roster's kernel side is
// taken away.
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "integration/roster_test_base.h"

namespace roster::testing {
namespace {

class BrokenOnPurpose : public RosterTestBase {
 protected:
  // The last pin of an attached program detaches it. How many there were.
  int RemoveLinks(const std::string& name = "") {
    std::vector<std::filesystem::path> pins;
    std::error_code ignored;
    for (const auto& entry :
         std::filesystem::directory_iterator(roster_->pin_directory() + "/links", ignored)) {
      if (name.empty() || entry.path().filename() == name) pins.push_back(entry.path());
    }
    int removed = 0;
    for (const auto& pin : pins) removed += ::unlink(pin.c_str()) == 0;
    return removed;
  }

  uint64_t Stat(uint32_t number) const { return roster_->Stat(number).value_or(0); }

  // A container in the host's pid namespace: nothing but its lineage tells it from its runtime.
  void ExpectFirstCallOfHostPid(const std::string& name, int marker, bool found) {
    ROSTER_ASSERT_OK(
        engine_->Run({.name = name, .arguments = {MarkerPath(marker), "wait"}, .host_pid = true}));
    auto call = observer_->Await(marker, In(absl::Seconds(10)));
    ROSTER_ASSERT_OK(call);
    for (const Found* way : {&call->by_task, &call->by_mntns, &call->by_cgroup}) {
      EXPECT_EQ(way->id, found ? name : "");
      EXPECT_EQ(way->handle != 0, found);
    }
    ROSTER_ASSERT_OK(engine_->Remove(name));
  }
};

TEST_F(BrokenOnPurpose, WithoutTheProgramsEveryContainerIsMissed) {
  StartAll(EngineKind::kRunc);
  if (HasFatalFailure()) return;
  ROSTER_ASSERT_OK(roster_->Kill());
  EXPECT_GT(RemoveLinks(), 0) << "the kernel hook's links are pinned";
  auto containers = StartContainers(engine_.get(), StartMode::kRun, 5, 1, "c", 0, observer_.get());
  ROSTER_ASSERT_OK(containers);
  Verdict verdict = Decide(*containers);
  for (const Tally& tally : {verdict.by_task, verdict.by_mntns, verdict.by_cgroup}) {
    EXPECT_EQ(tally.missed, 5) << ToText(verdict);
  }
  ROSTER_ASSERT_OK(RemoveContainers(engine_.get(), *containers, 5));
}

// The daemon lives and arms each runtime; what the runtime forks no longer carries the handle.
TEST_F(BrokenOnPurpose, WithoutTheCopyAtForkNoInitTakesItsHandle) {
  StartAll(EngineKind::kRunc);
  if (HasFatalFailure()) return;
  ExpectFirstCallOfHostPid("whole", 10, true);
  if (HasFatalFailure()) return;
  // The daemon's own descriptor of the link has been closed: the pin is all that holds it.
  ASSERT_EQ(RemoveLinks("on_fork"), 1);
  ExpectFirstCallOfHostPid("broken", 11, false);
  if (HasFatalFailure()) return;
  // An init with a pid namespace of its own is seen, late, by the kernel hook's other way.
  const uint64_t bound = Stat(ROSTER_STAT_BOUND), provisional = Stat(ROSTER_STAT_PROVISIONAL);
  auto containers = StartContainers(engine_.get(), StartMode::kRun, 5, 1, "c", 0, observer_.get());
  ROSTER_ASSERT_OK(containers);
  EXPECT_EQ(Stat(ROSTER_STAT_BOUND), bound);
  EXPECT_EQ(Stat(ROSTER_STAT_PROVISIONAL), provisional + 5);
  ROSTER_ASSERT_OK(RemoveContainers(engine_.get(), *containers, 5));
}

}  // namespace
}  // namespace roster::testing

// Every container is in the pinned maps, under its own name, before its first instruction;
// afterwards nothing is left. Five engines, `run` and `create` + `start`, one at a time and eight
// at once.
#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "integration/roster_test_base.h"

namespace roster::testing {
namespace {

using Way = std::tuple<EngineKind, StartMode, int /* at once */>;

std::string WayName(const ::testing::TestParamInfo<Way>& info) {
  auto [kind, mode, at_once] = info.param;
  return absl::StrCat(EngineName(kind), mode == StartMode::kRun ? "_run" : "_create_start",
                      at_once == 1 ? "" : absl::StrCat("_", at_once, "_at_once"));
}

// What userspace says of them agrees with what the observer saw and with what the engine was told.
void ExpectListed(const RosterUnderTest& roster, const Engine& engine,
                  const std::vector<StartedContainer>& containers) {
  const bool engine_names = engine.Name() == "docker" || engine.Name() == "podman";
  std::string wrong;
  absl::Status listed =
      roster.AwaitList("every container in the list", In(absl::Seconds(5)), [&](const auto& list) {
        wrong.clear();
        for (const StartedContainer& container : containers) {
          auto found = list.find(container.id);
          if (found == list.end()) {
            absl::StrAppend(&wrong, "\n  absent: ", container.name, " ", container.id);
            continue;
          }
          if (NumberField(found->second, "mntns") != container.call.mntns) {
            absl::StrAppend(&wrong, "\n  mntns of ", container.name, ": ",
                            NumberField(found->second, "mntns"), " and not ", container.call.mntns);
          }
          if (NumberField(found->second, "cgroupID") != container.call.cgroup_id) {
            absl::StrAppend(&wrong, "\n  cgroupID of ", container.name, ": ",
                            NumberField(found->second, "cgroupID"), " and not ",
                            container.call.cgroup_id);
          }
          if (engine_names &&
              TextField(found->second, "runtime", "containerName") != container.name) {
            absl::StrAppend(&wrong, "\n  name of ", container.name, ": ",
                            TextField(found->second, "runtime", "containerName"));
          }
        }
        return wrong.empty();
      });
  EXPECT_TRUE(listed.ok()) << listed << wrong;
}

class Starts : public RosterTestBase, public ::testing::WithParamInterface<Way> {};

TEST_P(Starts, EachIsFoundUnderItsNameAtItsFirstSystemCall) {
  auto [kind, mode, at_once] = GetParam();
  StartAll(kind);
  if (HasFatalFailure()) return;
  const int count = StartCount();
  std::vector<StartedContainer> everyone;
  // In groups, because 200 containers at one time would measure the machine's memory.
  for (int begin = 0; begin < count; begin += 20) {
    const int size = std::min(20, count - begin);
    auto containers = StartContainers(engine_.get(), mode, size, at_once,
                                      absl::StrCat("group", begin, "-"), begin, observer_.get());
    ROSTER_ASSERT_OK(containers);
    ExpectListed(*roster_, *engine_, *containers);
    ROSTER_ASSERT_OK(RemoveContainers(engine_.get(), *containers, at_once));
    everyone.insert(everyone.end(), containers->begin(), containers->end());
  }
  Verdict verdict = Decide(everyone);
  std::cout << "  " << ToText(verdict) << "; start p50 "
            << absl::FormatDuration(Quantile(StartTimes(everyone), 0.5)) << "\n";
  for (const Tally& tally : {verdict.by_task, verdict.by_mntns, verdict.by_cgroup}) {
    EXPECT_EQ(tally.right, count) << ToText(verdict);
  }
  ExpectNothingLeft();
}

INSTANTIATE_TEST_SUITE_P(All, Starts,
                         ::testing::Combine(::testing::ValuesIn(kAllEngines),
                                            ::testing::Values(StartMode::kRun,
                                                              StartMode::kCreateAndStart),
                                            ::testing::Values(1, 8)),
                         WayName);

}  // namespace
}  // namespace roster::testing

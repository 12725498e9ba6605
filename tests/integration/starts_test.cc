// Every container is in the pinned maps, under its own name, before its first instruction;
// afterwards nothing is left. Five engines, and youki where it was fetched, `run` and `create` +
// `start`, one at a time and eight at once.
#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "integration/lateness.h"
#include "integration/roster_test_base.h"

namespace roster::testing {
namespace {

// Where a runtime leaves a container in the hierarchy that Roster goes by: youki on a hybrid host,
// whose v2 hierarchy it does not use.
constexpr uint64_t kRootCgroup = 1;

using Way = std::tuple<EngineKind, StartMode, int /* at once */>;

std::string WayName(const ::testing::TestParamInfo<Way>& info) {
  auto [kind, mode, at_once] = info.param;
  return absl::StrCat(EngineName(kind), mode == StartMode::kRun ? "_run" : "_create_start",
                      at_once == 1 ? "" : absl::StrCat("_", at_once, "_at_once"));
}

// What userspace says of them agrees with what the observer saw and with what the engine was told.
void ExpectListed(const RosterUnderTest& roster, const std::vector<StartedContainer>& containers) {
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
          if (container.call.cgroup_id != kRootCgroup &&
              NumberField(found->second, "cgroupID") != container.call.cgroup_id) {
            absl::StrAppend(&wrong, "\n  cgroupID of ", container.name, ": ",
                            NumberField(found->second, "cgroupID"), " and not ",
                            container.call.cgroup_id);
          }
          if (TextField(found->second, "runtime", "containerName") != container.shown_name) {
            absl::StrAppend(&wrong, "\n  name of ", container.name, ": ",
                            TextField(found->second, "runtime", "containerName"));
          }
        }
        return wrong.empty();
      });
  EXPECT_TRUE(listed.ok()) << listed << wrong;
}

// An unnamed start whose hold's deadline had passed because the machine gave nobody a processor.
struct LateStart {
  std::string name;
  absl::Duration machine;   // how late a sleeper was woken during that start, at worst
  absl::Duration named_in;  // from the exec of the init to the record
};

std::string ToText(const std::vector<LateStart>& late) {
  std::string text;
  for (const LateStart& start : late) {
    absl::StrAppend(&text, "\n  late: ", start.name, ", named ",
                    absl::FormatDuration(start.named_in), " after its init's exec, a sleeper woke ",
                    absl::FormatDuration(start.machine), " late at that time");
  }
  return text;
}

class Starts : public RosterTestBase, public ::testing::WithParamInterface<Way> {
 protected:
  uint64_t Expired() const { return roster_->Stat(ROSTER_STAT_HOLDS_EXPIRED).value_or(0); }

  // Those of `containers`, which still run and are listed, that had no name at their first call.
  std::vector<LateStart> FindLate(const std::vector<StartedContainer>& containers,
                                  const Lateness& lateness) const {
    std::vector<LateStart> late;
    for (const StartedContainer& container : containers) {
      const Found& found = container.call.by_task;
      if (found.handle == 0 || !found.id.empty()) continue;
      LateStart start{container.name,
                      lateness.WorstBetween(container.began_ns, container.call.call_ns),
                      absl::InfiniteDuration()};
      const absl::StatusOr<roster_record> record = roster_->Record(found.handle);
      if (record.ok() && record->started_at_ns != 0) {
        start.named_in = absl::Nanoseconds(static_cast<int64_t>(record->created_at_ns) -
                                           static_cast<int64_t>(record->started_at_ns));
      }
      late.push_back(start);
    }
    return late;
  }

  // Late is not unnamed: a hold of it must have expired, which the daemon counts; the machine
  // itself must have been late; and the name must have come soon after. And it must be rare.
  void ExpectExcused(const std::vector<LateStart>& late, int count, uint64_t expired) const {
    EXPECT_LE(late.size(), expired) << "starts without a name, and no hold expired";
    EXPECT_LE(static_cast<int>(late.size()) * 20, count) << "more than one start in twenty";
    for (const LateStart& start : late) {
      EXPECT_GE(start.machine, kLateMachine) << start.name;
      EXPECT_LE(start.named_in, absl::Seconds(1) * TimeScale()) << start.name;
    }
  }

  // A quarter of the deadline. A held start needs a processor four times within it: the keeper,
  // the daemon's loop, its worker, the loop again.
  static constexpr absl::Duration kLateMachine = absl::Milliseconds(25);
};

TEST_P(Starts, EachIsFoundUnderItsNameAtItsFirstSystemCall) {
  auto [kind, mode, at_once] = GetParam();
  if (kind == EngineKind::kYouki && !IsInstalled(kind)) {
    GTEST_SKIP() << "youki is not fetched (scripts/fetch-youki)";
  }
  StartAll(kind);
  if (HasFatalFailure()) return;
  const int count = StartCount();
  const uint64_t expired_before = Expired();
  const Lateness lateness;
  std::vector<StartedContainer> everyone;
  std::vector<LateStart> late;
  // Where the cgroup does not say whose it is, the name does.
  const std::string prefix =
      kind == EngineKind::kYouki ? absl::StrCat(workspace_->unique_name(), "-group") : "group";
  // In groups, because 200 containers at one time would measure the machine's memory.
  for (int begin = 0; begin < count; begin += 20) {
    const int size = std::min(20, count - begin);
    auto containers = StartContainers(engine_.get(), mode, size, at_once,
                                      absl::StrCat(prefix, begin, "-"), begin, observer_.get());
    ROSTER_ASSERT_OK(containers);
    ExpectListed(*roster_, *containers);
    for (LateStart& start : FindLate(*containers, lateness)) late.push_back(std::move(start));
    ROSTER_ASSERT_OK(RemoveContainers(engine_.get(), *containers, at_once));
    everyone.insert(everyone.end(), containers->begin(), containers->end());
  }
  Verdict verdict = Decide(everyone);
  std::cout << "  " << ToText(verdict) << "; start p50 "
            << absl::FormatDuration(Quantile(StartTimes(everyone), 0.5)) << "; "
            << Expired() - expired_before << " holds expired" << ToText(late) << "\n";
  const auto without_cgroup = std::count_if(
      everyone.begin(), everyone.end(),
      [](const StartedContainer& container) { return container.call.cgroup_id == kRootCgroup; });
  EXPECT_TRUE(without_cgroup == 0 || (kind == EngineKind::kYouki && without_cgroup == count));
  for (const Tally& tally : {verdict.by_task, verdict.by_mntns}) {
    EXPECT_EQ(tally.right + static_cast<int>(late.size()), count) << ToText(verdict);
  }
  if (without_cgroup == 0) {
    EXPECT_EQ(verdict.by_cgroup.right + static_cast<int>(late.size()), count) << ToText(verdict);
  } else {
    EXPECT_EQ(verdict.by_cgroup.missed, count) << ToText(verdict);
  }
  EXPECT_EQ(verdict.by_task.unnamed, late.size()) << ToText(verdict);
  ExpectExcused(late, count, Expired() - expired_before);
  // crun executes itself again, which makes no container anew.
  const auto dropped = roster_->Stat(ROSTER_STAT_DROPPED);
  ROSTER_ASSERT_OK(dropped);
  if (Expired() == expired_before) {
    EXPECT_EQ(*dropped, 0u);
  }
  ExpectNothingLeft();
}

INSTANTIATE_TEST_SUITE_P(All, Starts,
                         ::testing::Combine(::testing::ValuesIn(kAllEngines),
                                            ::testing::Values(StartMode::kRun,
                                                              StartMode::kCreateAndStart),
                                            ::testing::Values(1, 8)),
                         WayName);

INSTANTIATE_TEST_SUITE_P(Fetched, Starts,
                         ::testing::Combine(::testing::Values(EngineKind::kYouki),
                                            ::testing::Values(StartMode::kRun,
                                                              StartMode::kCreateAndStart),
                                            ::testing::Values(1, 8)),
                         WayName);

}  // namespace
}  // namespace roster::testing

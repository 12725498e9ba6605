// A kernel need not run a program each time: none runs in the interrupts of some hosts' own
// processes, where tasks are freed. What is told late, or never, must lose nothing.
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "integration/roster_test_base.h"

namespace roster::testing {
namespace {

class MissedEvents : public RosterTestBase {};

// The addresses of tasks are used again at once, so that what an earlier task left in the lineage
// is found by a later one.
TEST_F(MissedEvents, TasksWhoseFreeingNobodyToldLoseAndLeaveNothing) {
  StartAll(EngineKind::kCrun);
  if (HasFatalFailure()) return;
  ASSERT_EQ(::unlink((roster_->pin_directory() + "/links/on_free").c_str()), 0);
  std::vector<StartedContainer> everyone;
  const int count = std::max(40, StartCount());
  for (int begin = 0; begin < count; begin += 10) {
    auto containers = StartContainers(engine_.get(), StartMode::kRun, 10, 2,
                                      absl::StrCat("c", begin, "-"), begin, observer_.get());
    ROSTER_ASSERT_OK(containers);
    ROSTER_ASSERT_OK(RemoveContainers(engine_.get(), *containers, 2));
    everyone.insert(everyone.end(), containers->begin(), containers->end());
  }
  const Verdict verdict = Decide(everyone);
  for (const Tally& tally : {verdict.by_task, verdict.by_mntns, verdict.by_cgroup}) {
    EXPECT_EQ(tally.right, static_cast<int>(everyone.size())) << ToText(verdict);
  }
  ExpectNothingLeft();
}

}  // namespace
}  // namespace roster::testing

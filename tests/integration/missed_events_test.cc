// A kernel need not run a program each time: none runs in the interrupts of some hosts' own
// processes, where tasks are freed. What is told late, or never, must lose nothing.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fill_events.skel.h"
#include "integration/roster_test_base.h"
#include "kernel/errors.h"
#include "kernel/fd.h"
#include "lineage_abi.h"
#include "roster_abi.h"

namespace roster::testing {
namespace {

// From here every message of the kernel hook is lost, until somebody reads.
absl::Status FillEvents(const std::string& pin_directory) {
  const std::string path = pin_directory + "/internal/roster_events";
  const Fd pin(bpf_obj_get(path.c_str()));
  if (!pin.valid()) return ErrnoStatus("open the pin", path, errno);
  std::unique_ptr<fill_events_bpf, decltype(&fill_events_bpf::destroy)> skeleton(
      fill_events_bpf::open(), &fill_events_bpf::destroy);
  if (skeleton == nullptr) return ErrnoStatus("open", "fill_events", errno);
  bpf_map__reuse_fd(skeleton->maps.roster_events, pin.get());
  if (int error = fill_events_bpf::load(skeleton.get()); error != 0)
    return ErrnoStatus("load", "fill_events", error);
  LIBBPF_OPTS(bpf_test_run_opts, run);
  if (int error = bpf_prog_test_run_opts(bpf_program__fd(skeleton->progs.fill), &run); error != 0)
    return ErrnoStatus("run", "fill_events", error);
  if (skeleton->bss->written == 0) return absl::InternalError("the ring buffer was full before");
  return absl::OkStatus();
}

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
  // Not judged here: entries stay until their address is another task's.
  before_.exited_lineage = before_.void_lineage = ROSTER_MAX_LINEAGE;
  ExpectNothingLeft();
}

// A full ring buffer loses what it is told; the daemon then looks at the slots, at once.
TEST_F(MissedEvents, WhatFoundTheRingBufferFullIsMadeUpForAtOnce) {
  StartAll(EngineKind::kCrun);
  if (HasFatalFailure()) return;
  ROSTER_ASSERT_OK(engine_->Run({"ends", {"/bin/sleep", "600"}}));
  ROSTER_ASSERT_OK(engine_->Create({"starts", {"/bin/sleep", "600"}}));
  ROSTER_ASSERT_OK(engine_->Create({"never-starts", {"/bin/sleep", "600"}}));
  ROSTER_ASSERT_OK(roster_->AwaitList("the one that runs", In(absl::Seconds(5)),
                                      [](const auto& list) { return list.contains("ends"); }));

  ROSTER_ASSERT_OK(roster_->Pause());
  ROSTER_ASSERT_OK(FillEvents(roster_->pin_directory()));
  ROSTER_EXPECT_OK(engine_->Remove("ends"));
  ROSTER_EXPECT_OK(engine_->StartCreated("starts"));
  ROSTER_EXPECT_OK(engine_->Remove("never-starts"));
  ROSTER_EXPECT_OK(engine_->Run({"unannounced", {"/bin/sleep", "600"}}));
  auto lost = roster_->Stat(ROSTER_STAT_EVENTS_LOST);
  ROSTER_ASSERT_OK(roster_->Continue());
  ROSTER_ASSERT_OK(lost);
  EXPECT_GT(*lost, 0u) << "nothing was lost: this shows nothing";

  ROSTER_EXPECT_OK(
      roster_->AwaitList("exactly what runs", In(absl::Seconds(5)), [](const auto& list) {
        return list.size() == 2 && list.contains("starts") && list.contains("unannounced");
      }));
  ROSTER_EXPECT_OK(engine_->Remove("starts"));
  ROSTER_EXPECT_OK(engine_->Remove("unannounced"));
  ExpectNothingLeft();
}

}  // namespace
}  // namespace roster::testing

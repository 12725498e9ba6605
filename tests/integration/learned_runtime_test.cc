// A runtime that is on no list is held once it has been seen making a container.
#include <signal.h>

#include <filesystem>
#include <string>

#include "engines/command.h"
#include "engines/oci_bundle.h"
#include "engines/oci_engine.h"
#include "integration/roster_test_base.h"

namespace roster::testing {
namespace {

class LearnedRuntime : public RosterTestBase {
 protected:
  // Starts the daemon, and a container with a copy of crun that stands where nobody looks; the
  // container's first call was made under no name.
  void StartFirst(std::filesystem::perms permissions) {
    StartAll(EngineKind::kRunc);
    if (HasFatalFailure()) return;
    auto crun = RunForOutput({"sh", "-c", "command -v crun"});
    ROSTER_ASSERT_OK(crun);
    path_ = workspace_->MakeDirectory("opt") + "/site-crun";
    std::filesystem::copy_file(*crun, path_);
    std::filesystem::permissions(path_, permissions);
    site_ = std::make_unique<OciEngine>(path_, *workspace_);
    ROSTER_ASSERT_OK(site_->Start());
    const std::string bundle = site_->BundleOf("first");
    ROSTER_ASSERT_OK(WriteBundle(bundle, OciConfig({"first", {MarkerPath(1), "wait"}},
                                                   site_->rootfs(), site_->CgroupsPath("first"))));
    const uint64_t provisional = roster_->Stat(ROSTER_STAT_PROVISIONAL).value_or(0);
    // Not detached: it is seen at work.
    auto runtime = Process::Spawn(site_->CommandLine({"run", "--bundle", bundle, "first"}));
    ROSTER_ASSERT_OK(runtime);
    runtime_ = *std::move(runtime);
    auto call = observer_->Await(1, In(absl::Seconds(10)));
    ROSTER_ASSERT_OK(call);
    // Nobody has announced it; on a busy machine it may be found out before its first call.
    EXPECT_NE(call->by_task.handle, 0U);
    EXPECT_EQ(roster_->Stat(ROSTER_STAT_PROVISIONAL).value_or(0), provisional + 1);
    ROSTER_ASSERT_OK(roster_->AwaitList("the first container", In(absl::Seconds(10)),
                                        [](const auto& list) { return list.contains("first"); }));
  }

  // What the next container's first call found.
  void StartSecond(Found* found) {
    auto second = StartContainers(site_.get(), StartMode::kRun, 1, 1, "second", 2, observer_.get());
    ROSTER_ASSERT_OK(second);
    *found = (*second)[0].call.by_task;
    ROSTER_EXPECT_OK(RemoveContainers(site_.get(), *second, 1));
    // The runtime that waits for it removes it.
    ROSTER_EXPECT_OK(site_->Kill("first", SIGKILL));
    ROSTER_EXPECT_OK(runtime_.Wait(In(absl::Seconds(10))));
  }

  std::string path_;
  std::unique_ptr<OciEngine> site_;
  Process runtime_;
};

TEST_F(LearnedRuntime, IsHeldFromItsSecondContainerOn) {
  StartFirst(std::filesystem::perms(0755));
  if (HasFatalFailure()) return;
  EXPECT_THAT(roster_->Log(), ::testing::HasSubstr("runtime learned"));
  EXPECT_THAT(roster_->Log(), ::testing::HasSubstr(path_));
  Found second;
  StartSecond(&second);
  EXPECT_EQ(second.id, "second0");
  ++marks_before_;  // the learned one's stays
  ExpectNothingLeft();
}

TEST_F(LearnedRuntime, IsNoneThatOthersMayWrite) {
  StartFirst(std::filesystem::perms(0777));
  if (HasFatalFailure()) return;
  EXPECT_THAT(roster_->Log(), ::testing::HasSubstr("runtime not learned"));
  EXPECT_THAT(roster_->Log(), ::testing::HasSubstr(path_));
  const uint64_t provisional = roster_->Stat(ROSTER_STAT_PROVISIONAL).value_or(0);
  Found second;
  StartSecond(&second);
  EXPECT_NE(second.handle, 0U);
  // As with the first: it may be found out before its first call.
  EXPECT_EQ(roster_->Stat(ROSTER_STAT_PROVISIONAL).value_or(0), provisional + 1);
  ExpectNothingLeft();
}

}  // namespace
}  // namespace roster::testing

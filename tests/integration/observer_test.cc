// The observers themselves, without Roster: what they would say if there were none, or if it were
// wrong.
#include "integration/observer.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cstring>

#include "absl/strings/str_cat.h"
#include "engines/image.h"
#include "engines/oci_engine.h"
#include "engines/wait.h"
#include "engines/workspace_fixture.h"
#include "gtest/gtest.h"
#include "roster_abi.h"

namespace roster::testing {
namespace {

class ObserverAlone : public WorkspaceTest, public ::testing::WithParamInterface<Observer::Kind> {
 protected:
  void SetUp() override {
    WorkspaceTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    runc_ = std::make_unique<OciEngine>("runc", *workspace_);
    ASSERT_TRUE(runc_->Start().ok());
    auto observer = Observer::Attach(GetParam(), "");
    ASSERT_TRUE(observer.ok()) << observer.status();
    observer_ = *std::move(observer);
  }

  std::unique_ptr<OciEngine> runc_;
  std::unique_ptr<Observer> observer_;
};

TEST_P(ObserverAlone, WithoutRosterEveryLookupMisses) {
  for (int marker = 0; marker < 10; ++marker) {
    std::string name = absl::StrCat("c", marker);
    ASSERT_TRUE(runc_->Run({name, {MarkerPath(marker), "exit"}}).ok());
    auto call = observer_->Await(marker, In(absl::Seconds(10)));
    ASSERT_TRUE(call.ok()) << call.status();
    EXPECT_EQ(call->by_task.handle, 0u);
    EXPECT_EQ(call->by_mntns.handle, 0u);
    EXPECT_EQ(call->by_cgroup.handle, 0u);
    EXPECT_NE(call->mntns, 0u);
    EXPECT_NE(call->cgroup_id, 0u);
    EXPECT_TRUE(runc_->Remove(name).ok());
  }
}

// Plays Roster's part by hand, between create and start.
TEST_P(ObserverAlone, FindsByEachKeyWhatIsInTheMaps) {
  ASSERT_TRUE(runc_->Create({"one", {MarkerPath(7), "exit"}}).ok());
  auto pid = runc_->Pid("one");
  ASSERT_TRUE(pid.ok()) << pid.status();
  struct stat mntns {};
  ASSERT_EQ(::stat(absl::StrCat("/proc/", *pid, "/ns/mnt").c_str(), &mntns), 0);

  const uint64_t handle = ROSTER_MAKE_HANDLE(3ULL, 17);
  const uint32_t slot = 17;
  roster_membership membership{};
  membership.handle = handle;
  membership.state = ROSTER_BOUND;
  roster_record record{};
  record.handle = handle;
  std::strcpy(record.id, "one");
  uint64_t inode = mntns.st_ino;
  ASSERT_EQ(bpf_map_update_elem(observer_->MapFd("roster_slot"), &slot, &membership, 0), 0);
  ASSERT_EQ(bpf_map_update_elem(observer_->MapFd("roster_record"), &handle, &record, 0), 0);
  ASSERT_EQ(bpf_map_update_elem(observer_->MapFd("roster_mntns"), &inode, &handle, 0), 0);
  Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0)));
  int key = pidfd.get();
  ASSERT_EQ(bpf_map_update_elem(observer_->MapFd("roster_task"), &key, &handle, 0), 0);

  ASSERT_TRUE(runc_->StartCreated("one").ok());
  auto call = observer_->Await(7, In(absl::Seconds(10)));
  ASSERT_TRUE(call.ok()) << call.status();
  EXPECT_EQ(call->pid, *pid);
  EXPECT_EQ(call->by_task.handle, handle);
  EXPECT_EQ(call->by_task.id, "one");
  EXPECT_EQ(call->by_mntns.handle, handle);
  EXPECT_EQ(call->by_mntns.id, "one");
  EXPECT_EQ(call->by_cgroup.handle, 0u) << "nothing was entered by cgroup";
}

TEST_P(ObserverAlone, EntryOfAnotherEpochIsAMiss) {
  ASSERT_TRUE(runc_->Create({"one", {MarkerPath(8), "exit"}}).ok());
  auto pid = runc_->Pid("one");
  ASSERT_TRUE(pid.ok()) << pid.status();
  struct stat mntns {};
  ASSERT_EQ(::stat(absl::StrCat("/proc/", *pid, "/ns/mnt").c_str(), &mntns), 0);
  const uint64_t stale = ROSTER_MAKE_HANDLE(3ULL, 17);
  const uint32_t slot = 17;
  roster_membership membership{};
  membership.handle = ROSTER_MAKE_HANDLE(4ULL, 17);
  uint64_t inode = mntns.st_ino;
  ASSERT_EQ(bpf_map_update_elem(observer_->MapFd("roster_slot"), &slot, &membership, 0), 0);
  ASSERT_EQ(bpf_map_update_elem(observer_->MapFd("roster_mntns"), &inode, &stale, 0), 0);
  ASSERT_TRUE(runc_->StartCreated("one").ok());
  auto call = observer_->Await(8, In(absl::Seconds(10)));
  ASSERT_TRUE(call.ok()) << call.status();
  EXPECT_EQ(call->by_mntns.handle, 0u);
}

INSTANTIATE_TEST_SUITE_P(Both, ObserverAlone,
                         ::testing::Values(Observer::Kind::kHeader, Observer::Kind::kStranger),
                         [](const auto& info) {
                           return info.param == Observer::Kind::kHeader ? "Header" : "Stranger";
                         });

}  // namespace
}  // namespace roster::testing

// What a daemon that was killed, or a task that has ended, has left in the pins.
#include <signal.h>
#include <sys/wait.h>

#include "unit/mirror/mirror_fixture.h"

namespace roster {
namespace {

// A child that waits to be ended.
class Child {
 public:
  Child() : pid_(fork()) {
    if (pid_ == 0) {
      for (;;) pause();
    }
  }
  ~Child() { Reap(); }
  pid_t pid() const { return pid_; }
  // A zombie from here.
  void End() {
    kill(pid_, SIGKILL);
    siginfo_t info;
    waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT);
  }
  void Reap() {
    if (reaped_) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    reaped_ = true;
  }

 private:
  const pid_t pid_;
  bool reaped_ = false;
};

class Repair : public MirrorTest {
 protected:
  void SetUp() override {
    MirrorTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    absl::StatusOr<PinnedMaps> maps = PinnedMaps::Open(*paths_);
    ASSERT_TRUE(maps.ok()) << maps.status();
    maps_ = *std::move(maps);
  }
  uint64_t Arm(const std::string& id, pid_t tid) {
    const absl::StatusOr<uint64_t> handle = mirror_->Arm(Named(id, 0, 0), {.tid = tid});
    EXPECT_TRUE(handle.ok()) << handle.status();
    return handle.value_or(0);
  }
  PinnedMaps maps_;
};

TEST_F(Repair, ATaskThatHasEndedIsNotArmed) {
  Child child;
  child.End();
  const absl::StatusOr<uint64_t> handle = mirror_->Arm(Named("late", 0, 0), {.tid = child.pid()});
  EXPECT_TRUE(absl::IsNotFound(handle.status())) << handle.status();
  EXPECT_TRUE(mirror_->Handles().empty());
  EXPECT_TRUE(maps_.armed.Keys().empty());
  EXPECT_TRUE(maps_.records.Keys().empty());
  EXPECT_EQ(maps_.hot[0].armed, 0u);
}

TEST_F(Repair, WhatADaemonWasKilledBeforeArmingIsFreed) {
  const uint64_t handle = Arm("a", getpid());
  maps_.armed.Remove(static_cast<uint32_t>(getpid()));  // it was counted, and not there yet
  Restart();
  EXPECT_FALSE(mirror_->Slot(handle));
  EXPECT_FALSE(mirror_->Record(handle));
  EXPECT_EQ(maps_.hot[0].armed, 0u);
}

TEST_F(Repair, WhatATaskIsArmedWithThatHasEndedIsFreed) {
  Child child;
  const uint64_t gone = Arm("gone", child.pid());
  const uint64_t held = Arm("held", getpid());
  child.Reap();
  Restart();
  EXPECT_FALSE(mirror_->Slot(gone));
  EXPECT_FALSE(maps_.armed.Find(static_cast<uint32_t>(child.pid())));
  EXPECT_TRUE(mirror_->Slot(held));
  EXPECT_TRUE(mirror_->Record(held));
  EXPECT_EQ(maps_.hot[0].armed, 1u);
}

TEST_F(Repair, WhatATaskCarriesIsKept) {
  const uint64_t handle = Arm("a", getpid());
  maps_.armed.Remove(static_cast<uint32_t>(getpid()));
  maps_.hot[0].armed = 0;
  ASSERT_TRUE(maps_.lineage.Set(0x1234, roster_lineage{.pending = handle}).ok());
  Restart();
  EXPECT_TRUE(mirror_->Slot(handle));
  EXPECT_TRUE(mirror_->Record(handle));
}

TEST_F(Repair, AnEntryThatLeadsToAnotherContainerIsSetRight) {
  const Container a = Adopt("a", 101, 201, {.pid = 7, .netns_cookie = 6});
  const Container b = Adopt("b", 102, 202, {.pid = 8, .netns_cookie = 7});
  ASSERT_TRUE(Enter("roster_mntns", 101, b.handle));
  ASSERT_TRUE(Enter("roster_netns", 201, b.handle));
  Restart();
  EXPECT_EQ(Identity("roster_mntns", 101), a.handle);
  EXPECT_EQ(Identity("roster_netns", 201), a.handle);
  EXPECT_EQ(Identity("roster_mntns", 102), b.handle);
}

TEST_F(Repair, AMissingEntryOfALivingContainerIsEntered) {
  const Container a = Adopt("a", 101, 201, {.pid = 7});
  maps_.mntns.Remove(101);
  maps_.cgroup.Remove(a.cgroup_id);
  Restart();
  EXPECT_EQ(Identity("roster_mntns", 101), a.handle);
  EXPECT_EQ(Identity("roster_cgroup", a.cgroup_id), a.handle);
}

TEST_F(Repair, ASlotWhoseHandleIsAnothersIsFreed) {
  const Container a = Adopt("a", 101, 201, {.pid = 7});
  const uint32_t slot = ROSTER_HANDLE_SLOT(a.handle);
  maps_.slots[slot].handle = ROSTER_MAKE_HANDLE(1, slot + 1);
  Restart();
  EXPECT_EQ(maps_.slots[slot].state, static_cast<uint32_t>(ROSTER_FREE));
  EXPECT_EQ(Identity("roster_mntns", 101), 0u);
}

}  // namespace
}  // namespace roster

// A container in the maps, from its arming or adoption to its tombstone.
#include "kernel/clock.h"
#include "unit/mirror/mirror_fixture.h"

namespace roster {
namespace {

TEST_F(MirrorTest, AnAdoptedContainerIsFoundUnderAllItsIdentities) {
  const Container c = Named("a", 101, 201);
  const absl::StatusOr<uint64_t> handle =
      mirror_->Adopt(c, {.pid = 7, .mntns_id = 5, .netns_cookie = 6});
  ASSERT_TRUE(handle.ok()) << handle.status();
  EXPECT_EQ(Identity("roster_mntns", 101), *handle);
  EXPECT_EQ(Identity("roster_netns", 201), *handle);
  EXPECT_EQ(Identity("roster_cgroup", 1000101), *handle);
  const auto slot = mirror_->Slot(*handle);
  ASSERT_TRUE(slot.has_value());
  EXPECT_EQ(slot->state, static_cast<uint32_t>(ROSTER_BOUND));
  EXPECT_EQ(slot->netns_cookie, 6u);
  EXPECT_STREQ(mirror_->Record(*handle)->id, "a");
}

TEST_F(MirrorTest, ADroppedContainerLeavesNothingAndItsHandleIsNeverUsedAgain) {
  const absl::StatusOr<uint64_t> first = mirror_->Adopt(Named("a", 101, 201), {.pid = 7});
  ASSERT_TRUE(first.ok());
  mirror_->Drop(*first);
  EXPECT_EQ(Identity("roster_mntns", 101), 0u);
  EXPECT_EQ(Identity("roster_netns", 201), 0u);
  EXPECT_EQ(Identity("roster_cgroup", 1000101), 0u);
  EXPECT_FALSE(mirror_->Slot(*first).has_value());
  EXPECT_FALSE(mirror_->Record(*first).has_value());
  for (int i = 0; i < 20; ++i) {
    const absl::StatusOr<uint64_t> next = mirror_->Adopt(Named("b", 102, 202), {.pid = 8});
    ASSERT_TRUE(next.ok());
    EXPECT_NE(*next, *first);
    mirror_->Drop(*next);
  }
}

TEST_F(MirrorTest, ATaskWhoseExecFailedIsArmedAnew) {
  const HeldTask task{.tid = getpid()};
  const absl::StatusOr<uint64_t> failed = mirror_->Arm(Named("failed", 101, 201), task);
  ASSERT_TRUE(failed.ok()) << failed.status();
  const absl::StatusOr<uint64_t> again = mirror_->Arm(Named("again", 102, 202), task);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_FALSE(mirror_->Slot(*failed)) << "its slot is free";
  EXPECT_FALSE(mirror_->Record(*failed));
  EXPECT_TRUE(mirror_->Slot(*again));
  absl::StatusOr<PinnedMaps> maps = PinnedMaps::Open(*paths_);
  ASSERT_TRUE(maps.ok());
  EXPECT_EQ(maps->hot[0].armed, 1u);
  EXPECT_EQ(maps->armed.Find(static_cast<uint32_t>(task.tid))->handle, *again);
}

TEST_F(MirrorTest, TheStartIsTheKernelsBindAndIsNotRewritten) {
  Container c = Named("a", 101, 201);
  const absl::StatusOr<uint64_t> handle = mirror_->Arm(c, {.tid = getpid()});
  ASSERT_TRUE(handle.ok());
  c.handle = *handle;
  ASSERT_TRUE(mirror_->BindEarly(c, {.pid = 7}).ok());
  c.runtime.container_started_at = 12345;  // its process's, between create and start
  ASSERT_TRUE(mirror_->Update(c).ok());
  EXPECT_EQ(mirror_->Record(*handle)->started_at_ns, 0u) << "not started yet";
  const uint64_t before = RealTimeNs();
  {
    absl::StatusOr<PinnedMaps> maps = PinnedMaps::Open(*paths_);
    ASSERT_TRUE(maps.ok());
    maps->slots[ROSTER_HANDLE_SLOT(*handle)].bound_ns = BootTimeNs();
  }
  ASSERT_TRUE(mirror_->Update(c).ok());
  const uint64_t started = mirror_->Record(*handle)->started_at_ns;
  EXPECT_NEAR(static_cast<double>(started), static_cast<double>(before), 1e9);
  c.runtime.container_started_at = 23456;  // as an engine has it
  ASSERT_TRUE(mirror_->Update(c).ok());
  EXPECT_EQ(mirror_->Record(*handle)->started_at_ns, started);
}

// It keeps its entries until its last task is freed, which is after the end of its namespace.
TEST_F(MirrorTest, TheNamespacesNumberOfAContainerThatHasEndedMayBeTheNextOnes) {
  const Container old = Adopt("old", 101, 201, {.pid = 7, .mntns_id = 1});
  Container next = Named("next", 101, 202);
  const absl::StatusOr<uint64_t> handle = mirror_->Arm(next, {.tid = getpid()});
  ASSERT_TRUE(handle.ok()) << handle.status();
  next.handle = *handle;
  EXPECT_TRUE(absl::IsAlreadyExists(mirror_->BindEarly(next, {.pid = 8, .mntns_id = 1})));
  {
    absl::StatusOr<PinnedMaps> maps = PinnedMaps::Open(*paths_);
    ASSERT_TRUE(maps.ok()) << maps.status();
    maps->slots[ROSTER_HANDLE_SLOT(old.handle)].state = ROSTER_ENDED;
  }
  const absl::Status bound = mirror_->BindEarly(next, {.pid = 8, .mntns_id = 1});
  EXPECT_TRUE(bound.ok()) << bound;
  EXPECT_EQ(Identity("roster_mntns", 101), next.handle);
}

TEST_F(MirrorTest, ANamespaceOfAnotherIdIsAnotherNamespace) {
  Adopt("old", 101, 201, {.pid = 7, .mntns_id = 1});
  Container next = Named("next", 101, 202);
  const absl::StatusOr<uint64_t> handle = mirror_->Adopt(next, {.pid = 8, .mntns_id = 2});
  ASSERT_TRUE(handle.ok()) << handle.status();
  EXPECT_EQ(Identity("roster_mntns", 101), *handle);
}

TEST_F(MirrorTest, ASandboxIsMarkedAndStaysSoWhenItsRecordIsRewritten) {
  const Container c = Adopt("pause", 101, 201, {.pid = 7});
  EXPECT_FALSE(mirror_->Slot(c.handle)->flags & ROSTER_F_SANDBOX);
  mirror_->MarkSandbox(c.handle);
  ASSERT_TRUE(mirror_->Update(c).ok());
  EXPECT_TRUE(mirror_->Slot(c.handle)->flags & ROSTER_F_SANDBOX);
}

TEST_F(MirrorTest, ATombstoneIsReadableUntilItsGraceHasPassed) {
  const Container c = Adopt("a", 101, 201, {.pid = 7});
  mirror_->Bury(c.handle, absl::Seconds(5));
  const absl::Time now = SteadyNow();
  EXPECT_NE(mirror_->ExpireTombstones(now), absl::InfiniteFuture());
  ASSERT_TRUE(mirror_->Record(c.handle).has_value());
  EXPECT_TRUE(mirror_->Record(c.handle)->flags & ROSTER_R_TOMBSTONE);
  EXPECT_EQ(mirror_->ExpireTombstones(now + absl::Seconds(6)), absl::InfiniteFuture());
  EXPECT_FALSE(mirror_->Record(c.handle).has_value());
}

}  // namespace
}  // namespace roster

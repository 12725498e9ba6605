// Containers that share a network or a mount namespace: to whom it leads, and their pod.
#include "unit/mirror/mirror_fixture.h"

namespace roster {
namespace {

TEST_F(MirrorTest, ContainersOfOneNetworkNamespaceLeadToTheirPod) {
  const Container a = Adopt("a", 101, 201, {.pid = 7, .netns_cookie = 6});
  ASSERT_TRUE(mirror_->NoteBound(a).ok());
  EXPECT_EQ(Identity("roster_netns", 201), a.handle);
  const Container b = Adopt("b", 102, 201, {.pid = 8, .netns_cookie = 6});
  ASSERT_TRUE(mirror_->NoteBound(b).ok());
  const uint64_t pod = Identity("roster_netns", 201);
  EXPECT_NE(pod, a.handle);
  EXPECT_NE(pod, b.handle);
  ASSERT_TRUE(mirror_->Slot(pod).has_value());
  EXPECT_TRUE(mirror_->Slot(pod)->flags & ROSTER_F_POD);
  EXPECT_EQ(mirror_->Slot(a.handle)->pod, pod);
  EXPECT_EQ(mirror_->Slot(b.handle)->pod, pod);
  mirror_->Drop(a.handle);
  EXPECT_EQ(Identity("roster_netns", 201), pod);
  mirror_->Drop(b.handle);
  EXPECT_EQ(Identity("roster_netns", 201), 0u);
  EXPECT_FALSE(mirror_->Slot(pod).has_value());
}

TEST_F(MirrorTest, APodOutlivesARestartWhileOneOfItsContainersLives) {
  const Container a = Adopt("a", 101, 201, {.pid = 7, .netns_cookie = 6});
  ASSERT_TRUE(mirror_->NoteBound(a).ok());
  const Container b = Adopt("b", 102, 201, {.pid = 8, .netns_cookie = 6});
  ASSERT_TRUE(mirror_->NoteBound(b).ok());
  const uint64_t pod = Identity("roster_netns", 201);
  mirror_->Drop(a.handle);
  Restart();
  EXPECT_EQ(Identity("roster_netns", 201), pod);
  ASSERT_TRUE(mirror_->Slot(pod).has_value());
  ASSERT_TRUE(mirror_->NoteBound(b).ok());
  EXPECT_EQ(Identity("roster_netns", 201), pod);
  EXPECT_EQ(mirror_->Handles().size(), 2u) << "b and the pod it had";
  mirror_->Drop(b.handle);
  EXPECT_EQ(Identity("roster_netns", 201), 0u);
  EXPECT_FALSE(mirror_->Slot(pod).has_value());
}

TEST_F(MirrorTest, APodWhoseContainersEndedWithoutADaemonIsDroppedAtTheStart) {
  const Container a = Adopt("a", 101, 201, {.pid = 7, .netns_cookie = 6});
  const Container b = Adopt("b", 102, 201, {.pid = 8, .netns_cookie = 6});
  ASSERT_TRUE(mirror_->NoteBound(a).ok());
  ASSERT_TRUE(mirror_->NoteBound(b).ok());
  mirror_.reset();
  KernelFrees(a);
  KernelFrees(b);
  Restart();
  EXPECT_EQ(Identity("roster_netns", 201), 0u);
  EXPECT_EQ(mirror_->Handles().size(), 0u);
}

TEST_F(MirrorTest, ASharedNetworkNamespaceLeadsToWhoIsLeftWhenTheOtherIsClearedOrThereWasNoDaemon) {
  for (const bool daemon : {false, true}) {
    const Container a = Adopt("a", 101, 201, {.pid = 7, .netns_cookie = 6});
    const Container b = Adopt("b", 102, 201, {.pid = 8, .netns_cookie = 6});
    if (daemon) Restart();  // who knows of both, but has not made their pod
    KernelFrees(a);
    EXPECT_EQ(Identity("roster_netns", 201), 0u);
    if (daemon) {
      mirror_->NoteCleared(a.handle, 0);
    } else {
      Restart();
    }
    EXPECT_EQ(Identity("roster_netns", 201), b.handle) << daemon;
    mirror_->Drop(b.handle);
    EXPECT_EQ(Identity("roster_netns", 201), 0u);
  }
}

TEST_F(MirrorTest, ASharedMountNamespaceLeadsToWhoIsLeftWhenTheOtherIsClearedOrThereWasNoDaemon) {
  for (const bool daemon : {false, true}) {
    const Container a = Adopt("a", 101, 0, {.pid = 7});
    const Container b = Adopt("b", 102, 0, {.pid = 8});
    {
      absl::StatusOr<PinnedMaps> maps = PinnedMaps::Open(*paths_);
      ASSERT_TRUE(maps.ok());
      roster_membership& m = maps->slots[ROSTER_HANDLE_SLOT(b.handle)];
      ASSERT_TRUE(maps->mntns.Remove(102));
      m.mntns = 101;  // as the kernel binds it beside the first
      m.flags |= ROSTER_F_SHARED_MNTNS;
    }
    KernelFrees(a);
    if (daemon) {
      mirror_->NoteCleared(a.handle, ROSTER_F_SHARED_MNTNS);
    } else {
      Restart();
    }
    EXPECT_EQ(Identity("roster_mntns", 101), b.handle) << daemon;
    mirror_->Drop(b.handle);
  }
}

TEST_F(MirrorTest, ContainersOfTwoNetworkNamespacesOfOneInodeNumberAreNoPod) {
  const Container old = Adopt("old", 101, 201, {.pid = 7, .netns_cookie = 6});
  ASSERT_TRUE(mirror_->NoteBound(old).ok());
  const Container fresh = Adopt("fresh", 102, 201, {.pid = 8, .netns_cookie = 9});
  ASSERT_TRUE(mirror_->NoteBound(fresh).ok());
  EXPECT_EQ(Identity("roster_netns", 201), fresh.handle);
  EXPECT_EQ(mirror_->Handles().size(), 2u);
  mirror_->Drop(old.handle);
  EXPECT_EQ(Identity("roster_netns", 201), fresh.handle);
}

}  // namespace
}  // namespace roster

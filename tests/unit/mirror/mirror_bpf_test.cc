// The mirror against real pinned maps, in a pin directory of its own. No program is attached.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <numeric>
#include <string>

#include "absl/strings/str_cat.h"
#include "kernel/clock.h"
#include "kernel/programs.h"
#include "mirror/mirror.h"

namespace roster {
namespace {

using ::testing::HasSubstr;

Container Named(const std::string& id, uint64_t mntns, uint64_t netns) {
  Container c;
  c.runtime.container_id = id;
  c.runtime.container_name = id;
  c.mntns = mntns;
  c.netns = netns;
  c.cgroup_id = mntns + 1000000;
  return c;
}

class MirrorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    paths_ =
        std::make_unique<PinPaths>(absl::StrCat(ROSTER_BPFFS "/roster-test-", getpid(), "/v1"));
    const absl::Status made = MakePinDirectories(*paths_);
    if (!made.ok()) GTEST_SKIP() << made;
    Open();
  }
  void TearDown() override {
    mirror_.reset();
    programs_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(std::filesystem::path(paths_->root).parent_path(), ignored);
  }
  void Open() {
    absl::StatusOr<std::unique_ptr<Programs>> programs = Programs::Load(*paths_);
    ASSERT_TRUE(programs.ok()) << programs.status();
    programs_ = *std::move(programs);
    absl::StatusOr<PinnedMaps> maps = PinnedMaps::Open(*paths_);
    ASSERT_TRUE(maps.ok()) << maps.status();
    mirror_ = std::make_unique<Mirror>(*paths_, *std::move(maps));
    absl::StatusOr<HostIdentity> host = ReadHostIdentity();
    ASSERT_TRUE(host.ok()) << host.status();
    mirror_->abi().Announce(*host, getpid());
  }
  // Another daemon begins over the same pins.
  void Restart() {
    mirror_.reset();
    programs_.reset();
    Open();
    if (!HasFatalFailure()) mirror_->Repair();
  }
  // What free_slot() of the kernel hook does.
  void KernelFrees(const Container& container) {
    absl::StatusOr<PinnedMaps> maps = PinnedMaps::Open(*paths_);
    ASSERT_TRUE(maps.ok()) << maps.status();
    roster_membership& m = maps->slots[ROSTER_HANDLE_SLOT(container.handle)];
    if (maps->mntns.Find(m.mntns) == container.handle) maps->mntns.Remove(m.mntns);
    if (maps->netns.Find(m.netns) == container.handle) maps->netns.Remove(m.netns);
    if (maps->cgroup.Find(m.cgroup_id) == container.handle) maps->cgroup.Remove(m.cgroup_id);
    m.handle = 0;
    m.state = ROSTER_FREE;
  }
  bool Enter(const char* map, uint64_t key, uint64_t handle) {
    const Fd fd(bpf_obj_get(paths_->MapPath(map).c_str()));
    return bpf_map_update_elem(fd.get(), &key, &handle, BPF_ANY) == 0;
  }
  uint64_t Identity(const char* map, uint64_t key) {
    const Fd fd(bpf_obj_get(paths_->MapPath(map).c_str()));
    uint64_t handle = 0;
    return bpf_map_lookup_elem(fd.get(), &key, &handle) == 0 ? handle : 0;
  }
  std::unique_ptr<PinPaths> paths_;
  std::unique_ptr<Programs> programs_;
  std::unique_ptr<Mirror> mirror_;
};

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

TEST_F(MirrorTest, ContainersOfOneNetworkNamespaceLeadToTheirPod) {
  Container a = Named("a", 101, 201);
  Container b = Named("b", 102, 201);
  a.handle = *mirror_->Adopt(a, {.pid = 7, .netns_cookie = 6});
  ASSERT_TRUE(mirror_->NoteBound(a).ok());
  EXPECT_EQ(Identity("roster_netns", 201), a.handle);
  b.handle = *mirror_->Adopt(b, {.pid = 8, .netns_cookie = 6});
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
  Container a = Named("a", 101, 201);
  Container b = Named("b", 102, 201);
  a.handle = *mirror_->Adopt(a, {.pid = 7, .netns_cookie = 6});
  ASSERT_TRUE(mirror_->NoteBound(a).ok());
  b.handle = *mirror_->Adopt(b, {.pid = 8, .netns_cookie = 6});
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
  Container a = Named("a", 101, 201);
  Container b = Named("b", 102, 201);
  a.handle = *mirror_->Adopt(a, {.pid = 7, .netns_cookie = 6});
  b.handle = *mirror_->Adopt(b, {.pid = 8, .netns_cookie = 6});
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
    Container a = Named("a", 101, 201);
    Container b = Named("b", 102, 201);
    a.handle = *mirror_->Adopt(a, {.pid = 7, .netns_cookie = 6});
    b.handle = *mirror_->Adopt(b, {.pid = 8, .netns_cookie = 6});
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
    Container a = Named("a", 101, 0);
    Container b = Named("b", 102, 0);
    a.handle = *mirror_->Adopt(a, {.pid = 7});
    b.handle = *mirror_->Adopt(b, {.pid = 8});
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
  Container old = Named("old", 101, 201);
  Container fresh = Named("fresh", 102, 201);
  old.handle = *mirror_->Adopt(old, {.pid = 7, .netns_cookie = 6});
  ASSERT_TRUE(mirror_->NoteBound(old).ok());
  fresh.handle = *mirror_->Adopt(fresh, {.pid = 8, .netns_cookie = 9});
  ASSERT_TRUE(mirror_->NoteBound(fresh).ok());
  EXPECT_EQ(Identity("roster_netns", 201), fresh.handle);
  EXPECT_EQ(mirror_->Handles().size(), 2u);
  mirror_->Drop(old.handle);
  EXPECT_EQ(Identity("roster_netns", 201), fresh.handle);
}

TEST_F(MirrorTest, APodForWhichThereIsNoSlotIsAnErrorAndTheContainersStay) {
  Container a = Named("a", 101, 201);
  Container b = Named("b", 102, 201);
  a.handle = *mirror_->Adopt(a, {.pid = 7, .netns_cookie = 6});
  b.handle = *mirror_->Adopt(b, {.pid = 8, .netns_cookie = 6});
  ASSERT_TRUE(mirror_->NoteBound(a).ok());
  Container filler = Named("x", 0, 0);
  filler.cgroup_id = 0;
  while (mirror_->Adopt(filler, {.pid = 9}).ok()) {
  }
  const absl::Status status = mirror_->NoteBound(b);
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_EQ(Identity("roster_netns", 201), a.handle);
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

// BPF adds to its numbers at any time: one that userspace wrote back would take some of that away.
TEST_F(MirrorTest, WhatBpfCountsIsNotWrittenByUserspace) {
  absl::StatusOr<PinnedMaps> maps = PinnedMaps::Open(*paths_);
  ASSERT_TRUE(maps.ok());
  const auto sum = [&](uint32_t stat) {
    std::vector<uint64_t> values(static_cast<size_t>(libbpf_num_possible_cpus()));
    EXPECT_EQ(bpf_map_lookup_elem(maps->stats.get(), &stat, values.data()), 0);
    return std::accumulate(values.begin(), values.end(), uint64_t{0});
  };
  for (const auto& [by_bpf, by_daemon] :
       {std::pair{ROSTER_STAT_SLOTS_FULL, ROSTER_STAT_SLOTS_FULL_DAEMON},
        {ROSTER_STAT_MNTNS_FULL, ROSTER_STAT_MNTNS_FULL_DAEMON},
        {ROSTER_STAT_NETNS_FULL, ROSTER_STAT_NETNS_FULL_DAEMON},
        {ROSTER_STAT_CGROUP_FULL, ROSTER_STAT_CGROUP_FULL_DAEMON}}) {
    mirror_->Count(by_bpf, 3);
    EXPECT_EQ(sum(by_bpf), 0u);
    EXPECT_EQ(sum(by_daemon), 3u);
  }
  mirror_->Count(ROSTER_STAT_HOLDS);
  EXPECT_EQ(sum(ROSTER_STAT_HOLDS), 1u);
}

TEST_F(MirrorTest, ASandboxIsMarkedAndStaysSoWhenItsRecordIsRewritten) {
  Container c = Named("pause", 101, 201);
  c.handle = *mirror_->Adopt(c, {.pid = 7});
  EXPECT_FALSE(mirror_->Slot(c.handle)->flags & ROSTER_F_SANDBOX);
  mirror_->MarkSandbox(c.handle);
  ASSERT_TRUE(mirror_->Update(c).ok());
  EXPECT_TRUE(mirror_->Slot(c.handle)->flags & ROSTER_F_SANDBOX);
}

TEST_F(MirrorTest, AFullMapIsAnErrorThatNamesItAndKeepsWhatIsHeld) {
  const Container first = Named("first", 50, 0);
  const absl::StatusOr<uint64_t> held = mirror_->Adopt(first, {.pid = 7});
  ASSERT_TRUE(held.ok());
  {
    const Fd fd(bpf_obj_get(paths_->MapPath("roster_mntns").c_str()));
    const uint64_t handle = 1;
    for (uint64_t key = 1000; bpf_map_update_elem(fd.get(), &key, &handle, BPF_ANY) == 0; ++key) {
    }
  }
  const absl::StatusOr<uint64_t> refused = mirror_->Adopt(Named("late", 60, 0), {.pid = 8});
  ASSERT_FALSE(refused.ok());
  EXPECT_TRUE(absl::IsResourceExhausted(refused.status())) << refused.status();
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("roster_mntns"));
  EXPECT_EQ(Identity("roster_mntns", 50), *held);
  EXPECT_TRUE(mirror_->Slot(*held).has_value());
  EXPECT_EQ(mirror_->Handles().size(), 1u) << "the refused container's slot is free again";
}

TEST_F(MirrorTest, AFullSlotTableIsAnErrorThatNamesIt) {
  for (uint32_t i = 1; i < ROSTER_MAX_SLOTS; ++i) {
    Container c = Named("x", 0, 0);
    c.cgroup_id = 0;
    ASSERT_TRUE(mirror_->Adopt(c, {.pid = 7}).ok()) << i;
  }
  const absl::StatusOr<uint64_t> refused = mirror_->Adopt(Named("late", 60, 0), {.pid = 8});
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("roster_slot"));
}

TEST_F(MirrorTest, ATombstoneIsReadableUntilItsGraceHasPassed) {
  Container c = Named("a", 101, 201);
  c.handle = *mirror_->Adopt(c, {.pid = 7});
  mirror_->Bury(c.handle, absl::Seconds(5));
  const absl::Time now = absl::Now();
  EXPECT_NE(mirror_->ExpireTombstones(now), absl::InfiniteFuture());
  ASSERT_TRUE(mirror_->Record(c.handle).has_value());
  EXPECT_TRUE(mirror_->Record(c.handle)->flags & ROSTER_R_TOMBSTONE);
  EXPECT_EQ(mirror_->ExpireTombstones(now + absl::Seconds(6)), absl::InfiniteFuture());
  EXPECT_FALSE(mirror_->Record(c.handle).has_value());
}

TEST_F(MirrorTest, AForeignMapInThePinDirectoryIsRefusedByName) {
  mirror_.reset();
  programs_.reset();
  const std::string path = paths_->MapPath("roster_netns");
  unlink(path.c_str());
  const Fd foreign(bpf_map_create(BPF_MAP_TYPE_HASH, "other", 4, 4, 10, nullptr));
  ASSERT_EQ(bpf_obj_pin(foreign.get(), path.c_str()), 0);
  const absl::Status status = CheckPins(*paths_);
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr(path));
  EXPECT_THAT(std::string(status.message()), HasSubstr("key size"));
}

TEST(PinDirectories, OffABpfFileSystemAreRefusedAndNothingIsMadeOrRemoved) {
  const std::string directory = absl::StrCat(::testing::TempDir(), "/no-bpf-", getpid());
  std::filesystem::create_directory(directory);
  for (const std::string& root : {directory + "/v1", directory + "/new/v1"}) {
    const absl::Status status = MakePinDirectories(PinPaths(root));
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(root));
    ASSERT_TRUE(std::filesystem::exists(directory)) << root;
    EXPECT_TRUE(std::filesystem::is_empty(directory)) << root;
  }
  std::filesystem::remove(directory);
}

TEST_F(MirrorTest, ARestartFindsWhatWasWrittenAndFreesWhatWasAbandoned) {
  const absl::StatusOr<uint64_t> handle = mirror_->Adopt(Named("a", 101, 201), {.pid = 7});
  ASSERT_TRUE(handle.ok());
  mirror_.reset();
  programs_.reset();
  {
    absl::StatusOr<PinnedMaps> maps = PinnedMaps::Open(*paths_);
    ASSERT_TRUE(maps.ok());
    maps->slots[9].state =
        ROSTER_RESERVED;  // as a daemon killed while it filled the slot leaves it
    ASSERT_TRUE(maps->mntns.Set(777, ROSTER_MAKE_HANDLE(9, 9)).ok());
  }
  Open();
  EXPECT_EQ(mirror_->Repair(), 2u);
  EXPECT_EQ(Identity("roster_mntns", 777), 0u);
  EXPECT_EQ(mirror_->Handles(), std::vector<uint64_t>{*handle});
}

TEST_F(MirrorTest, TracerBitsAndSetsAreVisibleInTheMaps) {
  const absl::StatusOr<uint64_t> handle = mirror_->Adopt(Named("a", 101, 201), {.pid = 7});
  ASSERT_TRUE(mirror_->tracer_sink().SetTracerBits(*handle, TracerBits{1, 1ULL << 63}).ok());
  EXPECT_EQ(mirror_->Slot(*handle)->tracers[0], 1u);
  EXPECT_EQ(mirror_->Slot(*handle)->tracers[1], 1ULL << 63);
  ASSERT_TRUE(mirror_->tracer_sink().CreateSet("t", TracerSet::kMntns).ok());
  ASSERT_TRUE(mirror_->tracer_sink().AddToSet("t", TracerSet::kMntns, 101).ok());
  const Fd set(bpf_obj_get((paths_->tracers() + "/t/mntnsset").c_str()));
  uint64_t key = 101;
  uint32_t value = 0;
  EXPECT_EQ(bpf_map_lookup_elem(set.get(), &key, &value), 0);
  EXPECT_EQ(value, 1u);
  ASSERT_TRUE(mirror_->tracer_sink().RemoveSet("t", TracerSet::kMntns).ok());
  EXPECT_FALSE(std::filesystem::exists(paths_->tracers() + "/t"));
}

}  // namespace
}  // namespace roster

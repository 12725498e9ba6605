// The pins themselves: what is found there at a start, and what others read of them.
#include <bpf/libbpf.h>

#include <numeric>

#include "unit/mirror/mirror_fixture.h"

namespace roster {
namespace {

using ::testing::HasSubstr;

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

// Of maps whose sizes are the same only the version says that another program made them.
TEST_F(MirrorTest, PinsOfAnotherInternalVersionAreRefusedByName) {
  EXPECT_TRUE(CheckPins(*paths_).ok());
  absl::StatusOr<PinnedMaps> maps = PinnedMaps::Open(*paths_);
  ASSERT_TRUE(maps.ok());
  maps->hot[0].version = ROSTER_INTERNAL_VERSION + 1;
  const absl::Status status = CheckPins(*paths_);
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(paths_->MapPath("roster_hot")));
  EXPECT_THAT(std::string(status.message()), HasSubstr("version"));
  maps->hot[0].version = 0;  // made, and never announced
  EXPECT_TRUE(CheckPins(*paths_).ok());
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

// Inode numbers are used again, and nobody takes out what ends while there is no writer.
TEST_F(MirrorTest, WhatTheTracersOfAnEarlierWriterWantedIsForgottenAtARestart) {
  const absl::StatusOr<uint64_t> handle = mirror_->Adopt(Named("a", 101, 201), {.pid = 7});
  ASSERT_TRUE(mirror_->tracer_sink().SetTracerBits(*handle, TracerBits{1, 1}).ok());
  ASSERT_TRUE(mirror_->tracer_sink().CreateSet("t", TracerSet::kCgroup).ok());
  ASSERT_TRUE(mirror_->tracer_sink().AddToSet("t", TracerSet::kCgroup, 101).ok());
  Restart();
  ASSERT_FALSE(HasFatalFailure());
  EXPECT_EQ(mirror_->Slot(*handle)->tracers[0], 0u);
  EXPECT_EQ(mirror_->Slot(*handle)->tracers[1], 0u);
  const Fd set(bpf_obj_get((paths_->tracers() + "/t/cgroupset").c_str()));
  uint64_t key = 101, value = 0;
  EXPECT_NE(bpf_map_lookup_elem(set.get(), &key, &value), 0);
}

TEST_F(MirrorTest, ATracerThatComesBackGetsTheSetThatItsProgramsHaveOpen) {
  ASSERT_TRUE(mirror_->tracer_sink().CreateSet("t", TracerSet::kMntns).ok());
  const Fd open(bpf_obj_get((paths_->tracers() + "/t/mntnsset").c_str()));
  Restart();
  ASSERT_FALSE(HasFatalFailure());
  ASSERT_TRUE(mirror_->tracer_sink().CreateSet("t", TracerSet::kMntns).ok());
  ASSERT_TRUE(mirror_->tracer_sink().AddToSet("t", TracerSet::kMntns, 102).ok());
  uint64_t key = 102;
  uint32_t value = 0;
  EXPECT_EQ(bpf_map_lookup_elem(open.get(), &key, &value), 0);
  // A map of another shape in its place is not taken for it.
  const std::string path = paths_->tracers() + "/t/cgroupset";
  const Fd other(bpf_map_create(BPF_MAP_TYPE_HASH, "other", 8, 4, 8, nullptr));
  ASSERT_EQ(bpf_obj_pin(other.get(), path.c_str()), 0);
  ASSERT_TRUE(mirror_->tracer_sink().CreateSet("t", TracerSet::kCgroup).ok());
  EXPECT_TRUE(mirror_->tracer_sink().AddToSet("t", TracerSet::kCgroup, 1).ok());
  EXPECT_NE(bpf_map_lookup_elem(other.get(), &key, &value), 0);
}

}  // namespace
}  // namespace roster

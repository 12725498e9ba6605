// A map or the slot table has no room left.
#include "unit/mirror/mirror_fixture.h"

namespace roster {
namespace {

using ::testing::HasSubstr;

TEST_F(MirrorTest, AContainerIsMissingFromAFullMapOnlyAndWhatIsHeldStays) {
  const Container first = Named("first", 50, 0);
  const absl::StatusOr<uint64_t> held = mirror_->Adopt(first, {.pid = 7});
  ASSERT_TRUE(held.ok());
  {
    const Fd fd(bpf_obj_get(paths_->MapPath("roster_mntns").c_str()));
    const uint64_t handle = 1;
    for (uint64_t key = 1000; bpf_map_update_elem(fd.get(), &key, &handle, BPF_ANY) == 0; ++key) {
    }
  }
  const Container late = Adopt("late", 60, 201, {.pid = 8});
  EXPECT_EQ(Identity("roster_mntns", 60), 0u);
  EXPECT_EQ(Identity("roster_netns", 201), late.handle);
  EXPECT_EQ(Identity("roster_cgroup", late.cgroup_id), late.handle);
  EXPECT_TRUE(mirror_->Record(late.handle));
  EXPECT_EQ(Identity("roster_mntns", 50), *held);
  EXPECT_TRUE(mirror_->Slot(*held).has_value());
}

TEST_F(MirrorTest, AContainerForWhichThereIsNoRecordIsArmedAllTheSame) {
  absl::StatusOr<PinnedMaps> maps = PinnedMaps::Open(*paths_);
  ASSERT_TRUE(maps.ok());
  roster_record filler = {};
  for (uint64_t key = 1; maps->records.Set(key << 32, filler).ok(); ++key) {
  }
  const absl::StatusOr<uint64_t> handle = mirror_->Arm(Named("late", 60, 0), {.tid = getpid()});
  ASSERT_TRUE(handle.ok()) << handle.status();
  EXPECT_TRUE(mirror_->Slot(*handle));
  EXPECT_FALSE(mirror_->Record(*handle));
  EXPECT_TRUE(maps->armed.Find(static_cast<uint32_t>(getpid())));
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

TEST_F(MirrorTest, APodForWhichThereIsNoSlotIsAnErrorAndTheContainersStay) {
  const Container a = Adopt("a", 101, 201, {.pid = 7, .netns_cookie = 6});
  const Container b = Adopt("b", 102, 201, {.pid = 8, .netns_cookie = 6});
  ASSERT_TRUE(mirror_->NoteBound(a).ok());
  Container filler = Named("x", 0, 0);
  filler.cgroup_id = 0;
  while (mirror_->Adopt(filler, {.pid = 9}).ok()) {
  }
  const absl::Status status = mirror_->NoteBound(b);
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_EQ(Identity("roster_netns", 201), a.handle);
}

}  // namespace
}  // namespace roster

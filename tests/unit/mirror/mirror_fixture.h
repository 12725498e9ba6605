// MirrorTest has a mirror over real pinned maps, in a pin directory of its own. No program is
// attached.
#ifndef ROSTER_TESTS_UNIT_MIRROR_MIRROR_FIXTURE_H_
#define ROSTER_TESTS_UNIT_MIRROR_MIRROR_FIXTURE_H_

#include <bpf/bpf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "kernel/programs.h"
#include "mirror/mirror.h"

namespace roster {

inline Container Named(const std::string& id, uint64_t mntns, uint64_t netns) {
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
  // Named(), in the maps, with its handle.
  Container Adopt(const std::string& id, uint64_t mntns, uint64_t netns, const InitIdentity& init) {
    Container container = Named(id, mntns, netns);
    const absl::StatusOr<uint64_t> handle = mirror_->Adopt(container, init);
    EXPECT_TRUE(handle.ok()) << handle.status();
    container.handle = handle.value_or(0);
    return container;
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

}  // namespace roster

#endif  // ROSTER_TESTS_UNIT_MIRROR_MIRROR_FIXTURE_H_

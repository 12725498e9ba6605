// The frozen ABI: layouts, map parameters and the list of pins, compared with what is written here
// by hand.
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "kernel/pins.h"
#include "lifecycle.skel.h"
#include "roster_abi.h"

namespace roster {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

// "name@offset:size" of each member of `name` in the object's BTF: what a stranger's loader sees.
std::vector<std::string> Members(const struct btf* btf, const char* name) {
  std::vector<std::string> members;
  const int id = btf__find_by_name_kind(btf, name, BTF_KIND_STRUCT);
  if (id < 0) return members;
  const struct btf_type* type = btf__type_by_id(btf, static_cast<uint32_t>(id));
  const struct btf_member* member = btf_members(type);
  for (uint32_t i = 0; i < btf_vlen(type); ++i) {
    members.push_back(absl::StrFormat("%s@%u:%d", btf__name_by_offset(btf, member[i].name_off),
                                      btf_member_bit_offset(type, i) / 8,
                                      btf__resolve_size(btf, member[i].type)));
  }
  return members;
}

class AbiGolden : public ::testing::Test {
 protected:
  void SetUp() override {
    skeleton_.reset(lifecycle_bpf__open());
    ASSERT_NE(skeleton_, nullptr);
    btf_ = bpf_object__btf(skeleton_->obj);
    ASSERT_NE(btf_, nullptr);
  }
  struct Destroy {
    void operator()(struct lifecycle_bpf* s) const { lifecycle_bpf__destroy(s); }
  };
  std::unique_ptr<struct lifecycle_bpf, Destroy> skeleton_;
  const struct btf* btf_ = nullptr;
};

TEST_F(AbiGolden, MembershipKeepsItsOffsets) {
  EXPECT_THAT(Members(btf_, "roster_membership"),
              ElementsAre("handle@0:8", "state@8:4", "flags@12:4", "parent@16:8", "pod@24:8",
                          "tracers@32:16", "mntns_id@48:8", "netns_cookie@56:8", "cgroup_id@64:8",
                          "mntns@72:8", "netns@80:4", "init_pid@84:4", "bound_ns@88:8",
                          "pid_ns@96:8", "reserved@104:24"));
}

TEST_F(AbiGolden, RecordKeepsItsOffsets) {
  EXPECT_THAT(
      Members(btf_, "roster_record"),
      ElementsAre("handle@0:8", "flags@8:4", "pid@12:4", "created_at_ns@16:8", "started_at_ns@24:8",
                  "ended_at_ns@32:8", "mntns@40:8", "netns@48:8", "cgroup_id@56:8", "runtime@64:16",
                  "id@80:80", "name@160:64", "pod_namespace@224:64", "pod_name@288:128",
                  "pod_uid@416:40", "k8s_container@456:64", "image@520:128", "labels@648:216"));
}

TEST_F(AbiGolden, HeaderMapKeepsItsOffsets) {
  EXPECT_THAT(
      Members(btf_, "roster_abi"),
      ElementsAre("major@0:4", "minor@4:4", "boot_id@8:16", "daemon_start_ns@24:8",
                  "heartbeat_ns@32:8", "changes@40:8", "daemon_pid@48:4", "cgroup_source@52:4",
                  "host_mntns@56:8", "host_netns@64:8", "host_pidns@72:8", "reserved@80:48"));
}

struct Shape {
  uint32_t type, key, value, max_entries, flags;
  bool operator==(const Shape&) const = default;
  friend void PrintTo(const Shape& s, std::ostream* out) {
    *out << absl::StrFormat("{%u, %u, %u, %u, %u}", s.type, s.key, s.value, s.max_entries, s.flags);
  }
};

const std::map<std::string, Shape>& Published() {
  static const auto& shapes = *new std::map<std::string, Shape>{
      {"roster_abi", {BPF_MAP_TYPE_ARRAY, 4, 128, 1, BPF_F_MMAPABLE}},
      {"roster_mntns", {BPF_MAP_TYPE_HASH, 8, 8, 16384, BPF_F_NO_PREALLOC}},
      {"roster_netns", {BPF_MAP_TYPE_HASH, 8, 8, 16384, BPF_F_NO_PREALLOC}},
      {"roster_cgroup", {BPF_MAP_TYPE_HASH, 8, 8, 32768, BPF_F_NO_PREALLOC}},
      {"roster_task", {BPF_MAP_TYPE_TASK_STORAGE, 4, 8, 0, BPF_F_NO_PREALLOC}},
      {"roster_slot", {BPF_MAP_TYPE_ARRAY, 4, 128, 16384, BPF_F_MMAPABLE}},
      {"roster_record", {BPF_MAP_TYPE_HASH, 8, 864, 32768, BPF_F_NO_PREALLOC}},
      {"roster_stats", {BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 32, 0}},
  };
  return shapes;
}

TEST_F(AbiGolden, MapsOfTheLoadedObjectsKeepTheirParameters) {
  std::map<std::string, Shape> found;
  struct bpf_map* map = nullptr;
  bpf_object__for_each_map(map, skeleton_->obj) {
    const std::string name = bpf_map__name(map);
    if (!Published().contains(name)) continue;
    found[name] = {bpf_map__type(map), bpf_map__key_size(map), bpf_map__value_size(map),
                   bpf_map__max_entries(map), bpf_map__map_flags(map)};
  }
  EXPECT_EQ(found, Published());
}

TEST_F(AbiGolden, WhatUserspaceChecksIsWhatIsPublished) {
  std::map<std::string, Shape> checked;
  std::vector<std::string> internal;
  for (const MapShape& shape : MapShapes()) {
    if (shape.internal) {
      internal.push_back(shape.name);
    } else {
      checked[shape.name] = {shape.type, shape.key_size, shape.value_size, shape.max_entries,
                             shape.flags};
    }
  }
  EXPECT_EQ(checked, Published());
  EXPECT_THAT(internal, UnorderedElementsAre("roster_hot", "roster_birth", "roster_lineage",
                                             "roster_arm", "roster_runtime", "roster_events"));
}

TEST_F(AbiGolden, NamesFitTheKernelsLimit) {
  for (const MapShape& shape : MapShapes())
    EXPECT_LE(std::string(shape.name).size(), 15u) << shape.name;
}

}  // namespace
}  // namespace roster

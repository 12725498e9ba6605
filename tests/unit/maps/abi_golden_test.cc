// The frozen ABI as the kernel holds it: the maps that the loaded programs made and pinned, and
// their BTF, which is what a stranger's loader sees.
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "unit/maps/published.h"
#include "unit/mirror/mirror_fixture.h"

namespace roster {
namespace {

using ::testing::ElementsAre;

struct PinnedMap {
  Shape shape;
  std::string key_type, value_type;  // names in the map's BTF; "" without one
  std::vector<std::string> members;  // of the value, "name@offset:size"
};

std::string TypeName(const struct btf* btf, uint32_t id) {
  const struct btf_type* type = btf == nullptr || id == 0 ? nullptr : btf__type_by_id(btf, id);
  return type == nullptr ? "" : btf__name_by_offset(btf, type->name_off);
}

std::vector<std::string> Members(const struct btf* btf, uint32_t id) {
  std::vector<std::string> members;
  const struct btf_type* type = btf == nullptr || id == 0 ? nullptr : btf__type_by_id(btf, id);
  if (type == nullptr || !btf_is_struct(type)) return members;
  const struct btf_member* member = btf_members(type);
  for (uint32_t i = 0; i < btf_vlen(type); ++i) {
    members.push_back(absl::StrFormat("%s@%u:%d", btf__name_by_offset(btf, member[i].name_off),
                                      btf_member_bit_offset(type, i) / 8,
                                      btf__resolve_size(btf, member[i].type)));
  }
  return members;
}

PinnedMap Read(const std::string& path) {
  PinnedMap result{};
  const Fd pin(bpf_obj_get(path.c_str()));
  bpf_map_info info{};
  uint32_t size = sizeof(info);
  EXPECT_EQ(bpf_obj_get_info_by_fd(pin.get(), &info, &size), 0) << path << strerror(errno);
  result.shape = {info.type, info.key_size, info.value_size, info.max_entries, info.map_flags};
  struct btf* btf = info.btf_id == 0 ? nullptr : btf__load_from_kernel_by_id(info.btf_id);
  result.key_type = TypeName(btf, info.btf_key_type_id);
  result.value_type = TypeName(btf, info.btf_value_type_id);
  result.members = Members(btf, info.btf_value_type_id);
  btf__free(btf);
  return result;
}

class AbiGolden : public MirrorTest {};

TEST_F(AbiGolden, MapsOfTheLoadedObjectsKeepTheirParametersAndTypes) {
  const std::map<std::string, std::string> values = {
      {"roster_abi", "roster_abi"},       {"roster_mntns", "__u64"},
      {"roster_netns", "__u64"},          {"roster_cgroup", "__u64"},
      {"roster_task", "__u64"},           {"roster_slot", "roster_membership"},
      {"roster_record", "roster_record"}, {"roster_stats", "__u64"},
  };
  for (const auto& [name, shape] : Published()) {
    SCOPED_TRACE(name);
    const PinnedMap map = Read(absl::StrCat(paths_->root, "/", name));
    EXPECT_EQ(map.shape, shape);
    EXPECT_EQ(map.value_type, values.at(name));
    EXPECT_EQ(map.key_type, name == "roster_task" ? "int" : shape.key == 4 ? "__u32" : "__u64");
  }
}

TEST_F(AbiGolden, MembershipKeepsItsOffsets) {
  EXPECT_THAT(Read(paths_->root + "/roster_slot").members,
              ElementsAre("handle@0:8", "state@8:4", "flags@12:4", "parent@16:8", "pod@24:8",
                          "tracers@32:16", "mntns_id@48:8", "netns_cookie@56:8", "cgroup_id@64:8",
                          "mntns@72:8", "netns@80:4", "init_pid@84:4", "bound_ns@88:8",
                          "pid_ns@96:8", "reserved@104:24"));
}

TEST_F(AbiGolden, RecordKeepsItsOffsets) {
  EXPECT_THAT(
      Read(paths_->root + "/roster_record").members,
      ElementsAre("handle@0:8", "flags@8:4", "pid@12:4", "created_at_ns@16:8", "started_at_ns@24:8",
                  "ended_at_ns@32:8", "mntns@40:8", "netns@48:8", "cgroup_id@56:8", "runtime@64:16",
                  "id@80:80", "name@160:64", "pod_namespace@224:64", "pod_name@288:128",
                  "pod_uid@416:40", "k8s_container@456:64", "image@520:128", "labels@648:216"));
}

TEST_F(AbiGolden, HeaderMapKeepsItsOffsets) {
  EXPECT_THAT(
      Read(paths_->root + "/roster_abi").members,
      ElementsAre("major@0:4", "minor@4:4", "boot_id@8:16", "daemon_start_ns@24:8",
                  "heartbeat_ns@32:8", "changes@40:8", "daemon_pid@48:4", "cgroup_source@52:4",
                  "host_mntns@56:8", "host_netns@64:8", "host_pidns@72:8", "reserved@80:48"));
}

TEST_F(AbiGolden, ATracersSetsKeepTheirShapes) {
  for (const TracerSet set : {TracerSet::kMntns, TracerSet::kCgroup})
    ASSERT_TRUE(mirror_->tracer_sink().CreateSet("t", set).ok());
  EXPECT_EQ(Read(paths_->root + "/tracers/t/mntnsset").shape,
            (Shape{BPF_MAP_TYPE_HASH, 8, 4, 16384, BPF_F_NO_PREALLOC}));
  EXPECT_EQ(Read(paths_->root + "/tracers/t/cgroupset").shape,
            (Shape{BPF_MAP_TYPE_HASH, 8, 8, 16384, BPF_F_NO_PREALLOC}));
}

}  // namespace
}  // namespace roster

#include "integration/kernel_hook.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "cgroups.skel.h"
#include "kernel/errors.h"
#include "kernel/host.h"
#include "kernel/shared_field.h"
#include "lifecycle.skel.h"

namespace roster::testing {

KernelHook::~KernelHook() {
  cgroups_bpf::destroy(cgroups_);
  lifecycle_bpf::destroy(lifecycle_);
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

absl::Status KernelHook::Attach() {
  ROSTER_RETURN_IF_ERROR(Load());
  ROSTER_RETURN_IF_ERROR(FillHot());
  if (int error = lifecycle_bpf::attach(lifecycle_); error != 0)
    return ErrnoStatus("attach", "lifecycle", error);
  if (int error = cgroups_bpf::attach(cgroups_); error != 0)
    return ErrnoStatus("attach", "cgroups", error);
  return absl::OkStatus();
}

absl::Status KernelHook::Load() {
  std::filesystem::create_directories(directory_);
  LIBBPF_OPTS(bpf_object_open_opts, options, .pin_root_path = directory_.c_str());
  lifecycle_ = lifecycle_bpf::open(&options);
  cgroups_ = cgroups_bpf::open(&options);
  if (lifecycle_ == nullptr || cgroups_ == nullptr)
    return ErrnoStatus("open", "the kernel hook", errno);
  for (bpf_object* object : {lifecycle_->obj, cgroups_->obj}) {
    bpf_map* map = nullptr;
    bpf_object__for_each_map(map, object) {
      const std::string name = bpf_map__name(map);
      if (name.rfind("roster_", 0) == 0)
        bpf_map__set_pin_path(map, (directory_ + "/" + name).c_str());
    }
  }
  if (int error = lifecycle_bpf::load(lifecycle_); error != 0)
    return ErrnoStatus("load", "lifecycle", error);
  if (int error = cgroups_bpf::load(cgroups_); error != 0)
    return ErrnoStatus("load", "cgroups", error);
  return absl::OkStatus();
}

absl::Status KernelHook::FillHot() {
  ROSTER_ASSIGN_OR_RETURN(const HostIdentity host, ReadHostIdentity());
  uint32_t zero = 0;
  roster_hot hot{};
  hot.version = ROSTER_INTERNAL_VERSION;
  hot.host_mntns = host.mntns;
  hot.host_netns = host.netns;
  hot.host_pidns = host.pidns;
  hot.cgroup_source = host.cgroup_source;
  hot.hierarchy = host.cgroup_hierarchy;
  roster_abi abi{};
  abi.host_mntns = hot.host_mntns;
  abi.cgroup_source = hot.cgroup_source;
  if (bpf_map_update_elem(bpf_map__fd(lifecycle_->maps.roster_hot), &zero, &hot, 0) != 0 ||
      bpf_map_update_elem(bpf_map__fd(lifecycle_->maps.roster_abi), &zero, &abi, 0) != 0) {
    return ErrnoStatus("fill", "roster_hot", errno);
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> KernelHook::Arm(pid_t tid, uint32_t slot, const std::string& id,
                                         uint64_t exe_ino) {
  ROSTER_ASSIGN_OR_RETURN(
      const MappedArray<roster_hot> hot,
      MappedArray<roster_hot>::Map(bpf_map__fd(lifecycle_->maps.roster_hot), 1, "roster_hot"));
  roster_birth birth{};
  bpf_map_lookup_elem(bpf_map__fd(lifecycle_->maps.roster_birth), &slot, &birth);
  uint64_t handle = ROSTER_MAKE_HANDLE(++birth.epoch, slot);
  birth.npending = 1;
  birth.nlive = birth.ntasks = 0;
  birth.exe_ino = exe_ino;
  roster_membership membership{};
  membership.handle = handle;
  membership.state = ROSTER_PENDING;
  roster_record record{};
  record.handle = handle;
  std::strncpy(record.id, id.c_str(), sizeof(record.id) - 1);
  roster_armed armed{handle};
  uint32_t key = tid;
  AddField(hot[0].armed, 1);
  if (bpf_map_update_elem(bpf_map__fd(lifecycle_->maps.roster_birth), &slot, &birth, 0) != 0 ||
      bpf_map_update_elem(bpf_map__fd(lifecycle_->maps.roster_record), &handle, &record, 0) != 0 ||
      bpf_map_update_elem(bpf_map__fd(lifecycle_->maps.roster_slot), &slot, &membership, 0) != 0 ||
      bpf_map_update_elem(bpf_map__fd(lifecycle_->maps.roster_arm), &key, &armed, 0) != 0) {
    return ErrnoStatus("arm", id, errno);
  }
  return handle;
}

absl::StatusOr<MappedArray<roster_birth>> KernelHook::Births() const {
  return MappedArray<roster_birth>::Map(bpf_map__fd(lifecycle_->maps.roster_birth),
                                        ROSTER_MAX_SLOTS, "roster_birth");
}

absl::StatusOr<MappedArray<roster_membership>> KernelHook::Slots() const {
  return MappedArray<roster_membership>::Map(bpf_map__fd(lifecycle_->maps.roster_slot),
                                             ROSTER_MAX_SLOTS, "roster_slot");
}

absl::StatusOr<MappedArray<roster_abi>> KernelHook::Abi() const {
  return MappedArray<roster_abi>::Map(bpf_map__fd(lifecycle_->maps.roster_abi), 1, "roster_abi");
}

}  // namespace roster::testing

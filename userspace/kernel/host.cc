#include "kernel/host.h"

#include <bpf/btf.h>
#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "kernel/boot_id.h"
#include "kernel/errors.h"
#include "process/cgroup_id.h"

namespace roster {
namespace {

absl::StatusOr<uint64_t> NamespaceInode(const char* path) {
  struct stat st;
  if (stat(path, &st) != 0) return ErrnoStatus("stat", path, errno);
  return st.st_ino;
}

// The kernel's number of a v1 controller, from its own BTF: enum cgroup_subsys_id.
absl::StatusOr<uint32_t> SubsystemNumber(const std::string& controller) {
  std::unique_ptr<struct btf, decltype(&btf__free)> btf(btf__load_vmlinux_btf(), btf__free);
  if (btf == nullptr) return absl::FailedPreconditionError("the kernel has no BTF");
  const int id = btf__find_by_name_kind(btf.get(), "cgroup_subsys_id", BTF_KIND_ENUM);
  if (id < 0) return absl::NotFoundError("enum cgroup_subsys_id is not in the kernel's BTF");
  const struct btf_type* type = btf__type_by_id(btf.get(), static_cast<uint32_t>(id));
  const struct btf_enum* values = btf_enum(type);
  for (uint32_t i = 0; i < btf_vlen(type); ++i) {
    if (controller + "_cgrp_id" == btf__name_by_offset(btf.get(), values[i].name_off)) {
      return static_cast<uint32_t>(values[i].val);
    }
  }
  return absl::NotFoundError(absl::StrCat("no cgroup subsystem ", controller));
}

// The hierarchy's number, the first field of its line in /proc/self/cgroup.
absl::StatusOr<uint32_t> HierarchyNumber(const std::string& controller) {
  std::ifstream in("/proc/self/cgroup");
  for (std::string line; std::getline(in, line);) {
    const std::vector<std::string> fields = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (fields.size() != 3) continue;
    for (absl::string_view word : absl::StrSplit(fields[1], ',')) {
      uint32_t number = 0;
      if (word == controller && absl::SimpleAtoi(fields[0], &number)) return number;
    }
  }
  return absl::NotFoundError(absl::StrCat("/proc/self/cgroup has no controller ", controller));
}

}  // namespace

absl::StatusOr<HostIdentity> ReadHostIdentity(uint64_t host_mntns) {
  HostIdentity host;
  ROSTER_ASSIGN_OR_RETURN(host.mntns, NamespaceInode("/proc/self/ns/mnt"));
  if (host_mntns != 0) host.mntns = host_mntns;
  ROSTER_ASSIGN_OR_RETURN(host.netns, NamespaceInode("/proc/self/ns/net"));
  ROSTER_ASSIGN_OR_RETURN(host.pidns, NamespaceInode("/proc/self/ns/pid"));
  ROSTER_ASSIGN_OR_RETURN(host.boot_id, ReadBootId());
  // Without any cgroup mount the default hierarchy still has ids, of which none can be a path.
  absl::StatusOr<CgroupHierarchy> hierarchy = CgroupMount();
  if (hierarchy.ok() && !hierarchy->v2) {
    // A named hierarchy without a controller has no subsystem for BPF to go through.
    const std::string controller =
        hierarchy->controller == "name=systemd" ? "pids" : hierarchy->controller;
    ROSTER_ASSIGN_OR_RETURN(uint32_t subsystem, SubsystemNumber(controller));
    ROSTER_ASSIGN_OR_RETURN(host.cgroup_hierarchy, HierarchyNumber(controller));
    host.cgroup_source = subsystem + 1;
  }
  return host;
}

}  // namespace roster

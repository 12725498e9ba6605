#include "unit/lookup/test_pins.h"

#include <bpf/bpf.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "kernel/errors.h"

namespace roster {

std::string WhyNoTestPins() {
  if (geteuid() != 0) return "not root";
  return "";
}

absl::StatusOr<std::unique_ptr<TestPins>> TestPins::Make() {
  std::unique_ptr<TestPins> maps(new TestPins);
  char dir[] = "/tmp/roster-pins-XXXXXX";
  if (mkdtemp(dir) == nullptr) return ErrnoStatus("make", dir, errno);
  maps->mount_ = dir;
  if (mount("bpf", dir, "bpf", 0, "mode=0700") != 0)
    return ErrnoStatus("mount bpffs on", dir, errno);
  maps->dir_ = maps->mount_ + "/roster/v1";
  if (mkdir((maps->mount_ + "/roster").c_str(), 0700) != 0 ||
      mkdir(maps->dir_.c_str(), 0700) != 0) {
    return ErrnoStatus("make", maps->dir_, errno);
  }
  const struct {
    const char* name;
    uint32_t type, key, value, entries, flags;
  } shapes[] = {
      {"roster_abi", BPF_MAP_TYPE_ARRAY, 4, sizeof(roster_abi), 1, BPF_F_MMAPABLE},
      {"roster_slot", BPF_MAP_TYPE_ARRAY, 4, sizeof(roster_membership), ROSTER_MAX_SLOTS,
       BPF_F_MMAPABLE},
      {"roster_mntns", BPF_MAP_TYPE_HASH, 8, 8, ROSTER_MAX_IDENTITIES, BPF_F_NO_PREALLOC},
      {"roster_netns", BPF_MAP_TYPE_HASH, 8, 8, ROSTER_MAX_IDENTITIES, BPF_F_NO_PREALLOC},
      {"roster_cgroup", BPF_MAP_TYPE_HASH, 8, 8, ROSTER_MAX_CGROUPS, BPF_F_NO_PREALLOC},
      {"roster_record", BPF_MAP_TYPE_HASH, 8, sizeof(roster_record), ROSTER_MAX_RECORDS,
       BPF_F_NO_PREALLOC},
      {"roster_stats", BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, ROSTER_STAT_MAX, 0},
  };
  for (const auto& s : shapes) {
    ROSTER_RETURN_IF_ERROR(maps->MakeMap(s.name, s.type, s.key, s.value, s.entries, s.flags));
  }
  void* abi = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, maps->fd("roster_abi"), 0);
  void* slots = mmap(nullptr, sizeof(roster_membership) * ROSTER_MAX_SLOTS, PROT_READ | PROT_WRITE,
                     MAP_SHARED, maps->fd("roster_slot"), 0);
  if (abi == MAP_FAILED || slots == MAP_FAILED)
    return ErrnoStatus("map", "roster_abi, roster_slot", errno);
  maps->abi_ = static_cast<roster_abi*>(abi);
  maps->slots_ = static_cast<roster_membership*>(slots);

  FILE* file = fopen("/proc/sys/kernel/random/boot_id", "re");
  char text[64] = {};
  if (file == nullptr || fgets(text, sizeof(text), file) == nullptr)
    return ErrnoStatus("read", "boot_id", errno);
  fclose(file);
  std::string hex;
  for (const char* c = text; *c != '\0'; ++c) {
    if (isxdigit(*c)) hex += *c;
  }
  for (size_t i = 0; i < sizeof(maps->abi_->boot_id); ++i) {
    maps->abi_->boot_id[i] =
        static_cast<uint8_t>(strtoul(hex.substr(2 * i, 2).c_str(), nullptr, 16));
  }
  struct stat pidns = {};
  stat("/proc/self/ns/pid", &pidns);
  maps->abi_->host_pidns = pidns.st_ino;
  maps->abi_->minor = ROSTER_ABI_MINOR;
  maps->abi_->major = ROSTER_ABI_MAJOR;
  return maps;
}

TestPins::~TestPins() {
  if (abi_ != nullptr) munmap(abi_, 4096);
  if (slots_ != nullptr) munmap(slots_, sizeof(roster_membership) * ROSTER_MAX_SLOTS);
  umount2(mount_.c_str(), MNT_DETACH);
  rmdir(mount_.c_str());
}

absl::Status TestPins::MakeMap(const std::string& name, uint32_t type, uint32_t key, uint32_t value,
                               uint32_t entries, uint32_t flags) {
  LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = flags);
  Fd fd(
      bpf_map_create(static_cast<bpf_map_type>(type), name.c_str(), key, value, entries, &options));
  if (!fd.valid()) return ErrnoStatus("create map", name, errno);
  if (bpf_obj_pin(fd.get(), absl::StrCat(dir_, "/", name).c_str()) != 0)
    return ErrnoStatus("pin", name, errno);
  fds_[name] = std::move(fd);
  return absl::OkStatus();
}

absl::Status TestPins::Replace(const std::string& name, uint32_t type, uint32_t key, uint32_t value,
                               uint32_t entries) {
  unlink(absl::StrCat(dir_, "/", name).c_str());
  return MakeMap(name, type, key, value, entries, 0);
}

uint64_t TestPins::Add(uint32_t number, uint32_t epoch, uint64_t mntns, uint64_t netns,
                       uint64_t cgroup, const std::string& name) {
  const uint64_t handle = ROSTER_MAKE_HANDLE(epoch, number);
  roster_record record = {};
  record.handle = handle;
  strncpy(record.name, name.c_str(), sizeof(record.name) - 1);
  strncpy(record.id, absl::StrCat("id-of-", name).c_str(), sizeof(record.id) - 1);
  bpf_map_update_elem(fd("roster_record"), &handle, &record, BPF_ANY);
  roster_membership* membership = slot(number);
  membership->state = ROSTER_BOUND;
  membership->mntns = mntns;
  membership->netns = static_cast<uint32_t>(netns);
  membership->cgroup_id = cgroup;
  __atomic_store_n(&membership->handle, handle, __ATOMIC_RELEASE);
  if (mntns != 0) bpf_map_update_elem(fd("roster_mntns"), &mntns, &handle, BPF_ANY);
  if (netns != 0) bpf_map_update_elem(fd("roster_netns"), &netns, &handle, BPF_ANY);
  if (cgroup != 0) bpf_map_update_elem(fd("roster_cgroup"), &cgroup, &handle, BPF_ANY);
  CountChange();
  return handle;
}

void TestPins::Remove(uint64_t handle, bool keep_identities) {
  roster_membership* membership = slot(ROSTER_HANDLE_SLOT(handle));
  const uint64_t mntns = membership->mntns;
  if (!keep_identities) bpf_map_delete_elem(fd("roster_mntns"), &mntns);
  __atomic_store_n(&membership->handle, 0, __ATOMIC_RELEASE);
  membership->state = ROSTER_FREE;
  CountChange();
}

}  // namespace roster

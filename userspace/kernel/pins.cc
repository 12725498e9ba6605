#include "kernel/pins.h"

#include <bpf/bpf.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cerrno>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace roster {
namespace {

constexpr MapShape kShapes[] = {
    {"roster_abi", BPF_MAP_TYPE_ARRAY, 4, sizeof(roster_abi), 1, BPF_F_MMAPABLE, false},
    {"roster_mntns", BPF_MAP_TYPE_HASH, 8, 8, ROSTER_MAX_IDENTITIES, BPF_F_NO_PREALLOC, false},
    {"roster_netns", BPF_MAP_TYPE_HASH, 8, 8, ROSTER_MAX_IDENTITIES, BPF_F_NO_PREALLOC, false},
    {"roster_cgroup", BPF_MAP_TYPE_HASH, 8, 8, ROSTER_MAX_CGROUPS, BPF_F_NO_PREALLOC, false},
    {"roster_task", BPF_MAP_TYPE_TASK_STORAGE, 4, 8, 0, BPF_F_NO_PREALLOC, false},
    {"roster_slot", BPF_MAP_TYPE_ARRAY, 4, sizeof(roster_membership), ROSTER_MAX_SLOTS,
     BPF_F_MMAPABLE, false},
    {"roster_record", BPF_MAP_TYPE_HASH, 8, sizeof(roster_record), ROSTER_MAX_RECORDS,
     BPF_F_NO_PREALLOC, false},
    {"roster_stats", BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, ROSTER_STAT_MAX, 0, false},
    {"roster_hot", BPF_MAP_TYPE_ARRAY, 4, sizeof(roster_hot), 1, BPF_F_MMAPABLE, true},
    {"roster_birth", BPF_MAP_TYPE_ARRAY, 4, sizeof(roster_birth), ROSTER_MAX_SLOTS, BPF_F_MMAPABLE,
     true},
    {"roster_lineage", BPF_MAP_TYPE_HASH, 8, sizeof(roster_lineage), ROSTER_MAX_LINEAGE,
     BPF_F_NO_PREALLOC, true},
    {"roster_arm", BPF_MAP_TYPE_HASH, 4, sizeof(roster_armed), ROSTER_MAX_ARMED, 0, true},
    {"roster_runtime", BPF_MAP_TYPE_HASH, 8, 8, ROSTER_MAX_RUNTIMES, 0, true},
    {"roster_events", BPF_MAP_TYPE_RINGBUF, 0, 0, ROSTER_EVENT_BYTES, 0, true},
};

absl::Status MakeDirectory(const std::string& path) {
  if (mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) return ErrnoStatus("mkdir", path, errno);
  return absl::OkStatus();
}

absl::Status Differs(const std::string& path, const char* what, uint32_t is, uint32_t expected) {
  return absl::FailedPreconditionError(
      absl::StrFormat("pin %s is not a map of this version: its %s is %u, not %u; "
                      "`roster uninstall` removes the pins",
                      path, what, is, expected));
}

absl::Status CheckPin(const PinPaths& paths, const MapShape& shape) {
  const absl::StatusOr<Fd> fd = OpenPin(paths, shape.name);
  if (absl::IsNotFound(fd.status())) return absl::OkStatus();
  if (!fd.ok()) return fd.status();
  const std::string path = paths.MapPath(shape.name);
  struct bpf_map_info info = {};
  uint32_t length = sizeof(info);
  if (bpf_obj_get_info_by_fd(fd->get(), &info, &length) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("pin ", path, " is not a map; `roster uninstall` removes the pins"));
  }
  if (info.type != shape.type) return Differs(path, "type", info.type, shape.type);
  if (info.key_size != shape.key_size)
    return Differs(path, "key size", info.key_size, shape.key_size);
  if (info.value_size != shape.value_size) {
    return Differs(path, "value size", info.value_size, shape.value_size);
  }
  if (info.max_entries != shape.max_entries) {
    return Differs(path, "max_entries", info.max_entries, shape.max_entries);
  }
  if (info.map_flags != shape.flags) return Differs(path, "flags", info.map_flags, shape.flags);
  return absl::OkStatus();
}

// Layouts may change where no size does. 0: the daemon that made the pins died before it announced
// itself, and nothing is in them.
absl::Status CheckInternalVersion(const PinPaths& paths) {
  const absl::StatusOr<Fd> fd = OpenPin(paths, "roster_hot");
  if (absl::IsNotFound(fd.status())) return absl::OkStatus();
  if (!fd.ok()) return fd.status();
  const std::string path = paths.MapPath("roster_hot");
  const uint32_t key = 0;
  roster_hot hot = {};
  if (bpf_map_lookup_elem(fd->get(), &key, &hot) != 0) return ErrnoStatus("read pin", path, errno);
  if (hot.version == 0 || hot.version == ROSTER_INTERNAL_VERSION) return absl::OkStatus();
  return Differs(path, "version", hot.version, ROSTER_INTERNAL_VERSION);
}

template <typename Value>
absl::Status OpenArray(const PinPaths& paths, const char* name, size_t entries,
                       MappedArray<Value>* array) {
  ROSTER_ASSIGN_OR_RETURN(Fd fd, OpenPin(paths, name));
  ROSTER_ASSIGN_OR_RETURN(*array, MappedArray<Value>::Map(fd.get(), entries, name));
  return absl::OkStatus();
}

template <typename Key, typename Value>
absl::Status OpenHash(const PinPaths& paths, const char* name, BpfMap<Key, Value>* map) {
  ROSTER_ASSIGN_OR_RETURN(Fd fd, OpenPin(paths, name));
  *map = BpfMap<Key, Value>(std::move(fd), name);
  return absl::OkStatus();
}

}  // namespace

std::string PinPaths::MapPath(const std::string& name) const {
  for (const MapShape& shape : kShapes) {
    if (shape.internal && name == shape.name) return internal() + "/" + name;
  }
  return root + "/" + name;
}

const std::vector<MapShape>& MapShapes() {
  static const auto& shapes = *new std::vector<MapShape>(std::begin(kShapes), std::end(kShapes));
  return shapes;
}

absl::StatusOr<Fd> OpenPin(const PinPaths& paths, const char* name) {
  const std::string path = paths.MapPath(name);
  Fd fd(bpf_obj_get(path.c_str()));
  if (!fd.valid()) return ErrnoStatus("open pin", path, errno);
  return fd;
}

absl::Status MakePinDirectories(const PinPaths& paths) {
  const size_t parent_end = paths.root.rfind('/');
  const std::string parent = paths.root.substr(0, parent_end);
  const bool made = mkdir(parent.c_str(), 0755) == 0;
  if (!made && errno != EEXIST) return ErrnoStatus("mkdir", parent, errno);
  struct statfs fs;
  if (statfs(parent.c_str(), &fs) != 0) return ErrnoStatus("statfs", parent, errno);
  if (fs.f_type != BPF_FS_MAGIC) {
    if (made) rmdir(parent.c_str());
    return absl::FailedPreconditionError(
        absl::StrCat("pin directory ", paths.root,
                     " is not on a BPF file system; mount one: mount -t bpf bpf " ROSTER_BPFFS));
  }
  ROSTER_RETURN_IF_ERROR(MakeDirectory(paths.root));
  ROSTER_RETURN_IF_ERROR(MakeDirectory(paths.internal()));
  ROSTER_RETURN_IF_ERROR(MakeDirectory(paths.tracers()));
  return MakeDirectory(paths.links());
}

absl::Status CheckPins(const PinPaths& paths) {
  for (const MapShape& shape : kShapes) ROSTER_RETURN_IF_ERROR(CheckPin(paths, shape));
  return CheckInternalVersion(paths);
}

absl::StatusOr<PinnedMaps> PinnedMaps::Open(const PinPaths& paths) {
  PinnedMaps maps;
  ROSTER_RETURN_IF_ERROR(OpenArray(paths, "roster_abi", 1, &maps.abi));
  ROSTER_RETURN_IF_ERROR(OpenArray(paths, "roster_slot", ROSTER_MAX_SLOTS, &maps.slots));
  ROSTER_RETURN_IF_ERROR(OpenArray(paths, "roster_birth", ROSTER_MAX_SLOTS, &maps.births));
  ROSTER_RETURN_IF_ERROR(OpenArray(paths, "roster_hot", 1, &maps.hot));
  ROSTER_RETURN_IF_ERROR(OpenHash(paths, "roster_mntns", &maps.mntns));
  ROSTER_RETURN_IF_ERROR(OpenHash(paths, "roster_netns", &maps.netns));
  ROSTER_RETURN_IF_ERROR(OpenHash(paths, "roster_cgroup", &maps.cgroup));
  ROSTER_RETURN_IF_ERROR(OpenHash(paths, "roster_record", &maps.records));
  ROSTER_RETURN_IF_ERROR(OpenHash(paths, "roster_lineage", &maps.lineage));
  ROSTER_RETURN_IF_ERROR(OpenHash(paths, "roster_arm", &maps.armed));
  ROSTER_RETURN_IF_ERROR(OpenHash(paths, "roster_runtime", &maps.runtimes));
  ROSTER_ASSIGN_OR_RETURN(maps.stats, OpenPin(paths, "roster_stats"));
  ROSTER_ASSIGN_OR_RETURN(maps.events, OpenPin(paths, "roster_events"));
  return maps;
}

}  // namespace roster

#include "mirror/tracer_sets.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "kernel/errors.h"
#include "kernel/shared_field.h"

namespace roster {
namespace {

uint32_t ValueSize(TracerSet set) { return set == TracerSet::kMntns ? 4 : 8; }

void Empty(const Fd& map) {
  uint64_t key = 0;
  // Bounded, should somebody else write there.
  for (uint32_t n = 0; n < kMaxTracerSet; ++n) {
    if (bpf_map_get_next_key(map.get(), nullptr, &key) != 0) return;
    bpf_map_delete_elem(map.get(), &key);
  }
}

// The pinned set at `path`; not valid where there is none of that shape.
Fd OpenSetAt(const std::string& path, TracerSet set) {
  Fd map(bpf_obj_get(path.c_str()));
  struct bpf_map_info info = {};
  uint32_t length = sizeof(info);
  if (!map.valid() || bpf_obj_get_info_by_fd(map.get(), &info, &length) != 0 ||
      info.type != BPF_MAP_TYPE_HASH || info.key_size != 8 || info.value_size != ValueSize(set) ||
      info.max_entries != kMaxTracerSet) {
    return Fd();
  }
  return map;
}

absl::StatusOr<Fd> MakeSetAt(const std::string& path, TracerSet set) {
  LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC);
  Fd map(bpf_map_create(BPF_MAP_TYPE_HASH, set == TracerSet::kMntns ? "mntnsset" : "cgroupset", 8,
                        ValueSize(set), kMaxTracerSet, &options));
  if (!map.valid()) return ErrnoStatus("create map", path, errno);
  unlink(path.c_str());
  if (bpf_obj_pin(map.get(), path.c_str()) != 0) return ErrnoStatus("pin map", path, errno);
  return map;
}

}  // namespace

std::string TracerSets::Path(std::string_view tracer, TracerSet set) const {
  return directory_ + "/" + std::string(tracer) +
         (set == TracerSet::kMntns ? "/mntnsset" : "/cgroupset");
}

absl::Status TracerSets::SetTracerBits(uint64_t handle, const TracerBits& bits) {
  roster_membership* m = slots_.Find(handle);
  if (m == nullptr) return absl::NotFoundError(absl::StrCat("no container has handle ", handle));
  for (size_t i = 0; i < bits.size(); ++i) StoreField(m->tracers[i], bits[i]);
  abi_.Changed();
  return absl::OkStatus();
}

absl::Status TracerSets::CreateSet(std::string_view tracer, TracerSet set) {
  if (tracer.empty() || tracer.find_first_of("/.") != std::string_view::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("tracer name \"", std::string(tracer), "\" cannot be a pin's: no '/' or '.'"));
  }
  const std::string directory = directory_ + "/" + std::string(tracer);
  if (mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST) {
    return ErrnoStatus("mkdir", directory, errno);
  }
  const std::string path = Path(tracer, set);
  Fd map = OpenSetAt(path, set);
  if (map.valid()) {
    Empty(map);
  } else {
    ROSTER_ASSIGN_OR_RETURN(map, MakeSetAt(path, set));
  }
  MutexLock lock(&mutex_);
  maps_[path] = std::move(map);
  return absl::OkStatus();
}

void TracerSets::EmptyAll() {
  std::error_code ignored;
  for (const auto& tracer : std::filesystem::directory_iterator(directory_, ignored)) {
    for (const TracerSet set : {TracerSet::kMntns, TracerSet::kCgroup}) {
      const std::string path = Path(tracer.path().filename().string(), set);
      if (const Fd map = OpenSetAt(path, set); map.valid()) Empty(map);
    }
  }
}

absl::Status TracerSets::RemoveSet(std::string_view tracer, TracerSet set) {
  const std::string path = Path(tracer, set);
  MutexLock lock(&mutex_);
  if (maps_.erase(path) == 0) return absl::NotFoundError(absl::StrCat("no tracer set ", path));
  if (unlink(path.c_str()) != 0) return ErrnoStatus("unpin", path, errno);
  rmdir((directory_ + "/" + std::string(tracer)).c_str());  // fails while the other set is there
  return absl::OkStatus();
}

absl::Status TracerSets::AddToSet(std::string_view tracer, TracerSet set, uint64_t key) {
  const std::string path = Path(tracer, set);
  MutexLock lock(&mutex_);
  const auto it = maps_.find(path);
  if (it == maps_.end()) return absl::NotFoundError(absl::StrCat("no tracer set ", path));
  const uint64_t one = 1;
  const uint32_t one32 = 1;
  const void* value = set == TracerSet::kMntns ? static_cast<const void*>(&one32) : &one;
  if (bpf_map_update_elem(it->second.get(), &key, value, BPF_ANY) != 0) {
    return ErrnoStatus("update map", path, errno);
  }
  return absl::OkStatus();
}

absl::StatusOr<int> TracerSets::OpenSet(std::string_view tracer, TracerSet set) {
  const std::string path = Path(tracer, set);
  MutexLock lock(&mutex_);
  const auto it = maps_.find(path);
  if (it == maps_.end()) return absl::NotFoundError(absl::StrCat("no tracer set ", path));
  Fd copy(fcntl(it->second.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy.valid()) return ErrnoStatus("duplicate", path, errno);
  return copy.Release();
}

absl::Status TracerSets::RemoveFromSet(std::string_view tracer, TracerSet set, uint64_t key) {
  const std::string path = Path(tracer, set);
  MutexLock lock(&mutex_);
  const auto it = maps_.find(path);
  if (it == maps_.end()) return absl::NotFoundError(absl::StrCat("no tracer set ", path));
  if (bpf_map_delete_elem(it->second.get(), &key) != 0 && errno != ENOENT) {
    return ErrnoStatus("delete from map", path, errno);
  }
  return absl::OkStatus();
}

}  // namespace roster

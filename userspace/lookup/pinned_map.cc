#include "lookup/pinned_map.h"

#include <bpf/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "kernel/errors.h"
#include "roster_abi.h"

namespace roster::lookup_internal {

const MapShape kAbiShape = {"roster_abi", BPF_MAP_TYPE_ARRAY, 4, sizeof(roster_abi), 1, true};
const MapShape kMntnsShape = {"roster_mntns", BPF_MAP_TYPE_HASH, 8, 8, ROSTER_MAX_IDENTITIES};
const MapShape kNetnsShape = {"roster_netns", BPF_MAP_TYPE_HASH, 8, 8, ROSTER_MAX_IDENTITIES};
const MapShape kCgroupShape = {"roster_cgroup", BPF_MAP_TYPE_HASH, 8, 8, ROSTER_MAX_CGROUPS};
const MapShape kSlotShape = {
    "roster_slot", BPF_MAP_TYPE_ARRAY, 4, sizeof(roster_membership), ROSTER_MAX_SLOTS, true};
const MapShape kRecordShape = {"roster_record", BPF_MAP_TYPE_HASH, 8, sizeof(roster_record),
                               ROSTER_MAX_RECORDS};
const MapShape kStatsShape = {"roster_stats", BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, ROSTER_STAT_MAX};
const MapShape kTaskShape = {"roster_task", BPF_MAP_TYPE_TASK_STORAGE, 4, 0, 0};

const MapShape* const kRequiredShapes[7] = {&kAbiShape,  &kMntnsShape,  &kNetnsShape, &kCgroupShape,
                                            &kSlotShape, &kRecordShape, &kStatsShape};

namespace {

// A pin may be a program or a link as well; bpf_obj_get() does not tell, the name of the anonymous
// inode does.
bool IsMapFd(int fd) {
  char target[64];
  const ssize_t length =
      readlink(absl::StrCat("/proc/self/fd/", fd).c_str(), target, sizeof(target));
  if (length < 0) return true;  // no /proc: bpf_obj_get_info_by_fd and the shape must do
  return std::string_view(target, static_cast<size_t>(length)).find("bpf-map") !=
         std::string_view::npos;
}

absl::Status Differs(const std::string& path, const char* what, uint64_t have, uint64_t want) {
  return absl::FailedPreconditionError(
      absl::StrCat("pin ", path, ": ", what, " is ", have, ", Roster's ABI version ",
                   ROSTER_ABI_MAJOR, " has ", want, ": made by another version or program"));
}

}  // namespace

absl::StatusOr<Fd> OpenPinnedMap(const std::string& pin_dir, const MapShape& shape) {
  const std::string path = absl::StrCat(pin_dir, "/", shape.name);
  LIBBPF_OPTS(bpf_obj_get_opts, options,
              .file_flags = shape.mapped ? 0 : static_cast<uint32_t>(BPF_F_RDONLY));
  Fd fd(bpf_obj_get_opts(path.c_str(), &options));
  if (!fd.valid()) {
    const int error = errno;
    // The kernel says EACCES both of a file that is no BPF object and of one that may not be read;
    // root meets only the first.
    if (error == EACCES && geteuid() == 0) {
      return absl::FailedPreconditionError(
          absl::StrCat("pin ", path,
                       ": not a BPF object: a foreign file, or the directory is not on "
                       "a BPF file system"));
    }
    return ErrnoStatus("open pin", path, error);
  }
  if (!IsMapFd(fd.get())) {
    return absl::FailedPreconditionError(
        absl::StrCat("pin ", path, ": a BPF program or link where a map must be"));
  }
  bpf_map_info info = {};
  uint32_t length = sizeof(info);
  if (bpf_obj_get_info_by_fd(fd.get(), &info, &length) != 0) {
    return ErrnoStatus("inspect pin", path, errno);
  }
  if (info.type != shape.type) return Differs(path, "map type", info.type, shape.type);
  if (info.key_size != shape.key_size) {
    return Differs(path, "key size", info.key_size, shape.key_size);
  }
  if (shape.value_size != 0 && info.value_size != shape.value_size) {
    return Differs(path, "value size", info.value_size, shape.value_size);
  }
  if (info.max_entries != shape.max_entries) {
    return Differs(path, "max_entries", info.max_entries, shape.max_entries);
  }
  return fd;
}

MappedArray::MappedArray(MappedArray&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

MappedArray& MappedArray::operator=(MappedArray&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

MappedArray::~MappedArray() {
  if (data_ != nullptr) munmap(data_, bytes_);
}

absl::StatusOr<MappedArray> MappedArray::Map(const Fd& fd, const std::string& pin_dir,
                                             const MapShape& shape) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t element = (shape.value_size + 7) / 8 * 8;
  MappedArray array;
  array.bytes_ = (element * shape.max_entries + page - 1) / page * page;
  void* data = mmap(nullptr, array.bytes_, PROT_READ, MAP_SHARED, fd.get(), 0);
  const std::string path = absl::StrCat(pin_dir, "/", shape.name);
  if (data == MAP_FAILED) {
    if (errno == ENOTSUP || errno == EINVAL) {
      return absl::FailedPreconditionError(
          absl::StrCat("pin ", path, ": map lacks BPF_F_MMAPABLE: made by another program"));
    }
    return ErrnoStatus("map into memory", path, errno);
  }
  array.data_ = data;
  return array;
}

}  // namespace roster::lookup_internal

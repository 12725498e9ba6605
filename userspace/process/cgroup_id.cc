#include "process/cgroup_id.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/statfs.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "kernel/errors.h"

namespace roster {
namespace {

bool IsMagic(const std::string& path, int64_t magic) {
  struct statfs info;
  return statfs(path.c_str(), &info) == 0 && info.f_type == magic;
}

}  // namespace

absl::StatusOr<uint64_t> CgroupIdOfPath(const std::string& path) {
  // A kernfs handle is its 64-bit id and nothing else (FILEID_KERNFS); another file system's is
  // longer or of another type, and its bytes would be an id of nothing.
  constexpr int kFileidKernfs = 0xfe;
  struct {
    file_handle handle;
    unsigned char bytes[MAX_HANDLE_SZ];
  } buffer = {};
  buffer.handle.handle_bytes = sizeof(uint64_t);
  int mount_id = 0;
  if (name_to_handle_at(AT_FDCWD, path.c_str(), &buffer.handle, &mount_id, 0) != 0) {
    if (errno == EOVERFLOW || errno == EOPNOTSUPP) {
      return absl::InvalidArgumentError(
          absl::StrCat("cgroup id of ", path, ": not on a cgroup file system"));
    }
    return ErrnoStatus("cgroup id of", path, errno);
  }
  if (buffer.handle.handle_bytes != sizeof(uint64_t) ||
      buffer.handle.handle_type != kFileidKernfs) {
    return absl::InvalidArgumentError(
        absl::StrCat("cgroup id of ", path, ": not on a cgroup file system"));
  }
  uint64_t id = 0;
  memcpy(&id, buffer.handle.f_handle, sizeof(id));
  return id;
}

absl::StatusOr<CgroupHierarchy> CgroupMount(const std::string& root) {
  for (const std::string& path : {root, absl::StrCat(root, "/unified")}) {
    if (IsMagic(path, CGROUP2_SUPER_MAGIC)) return CgroupHierarchy{path, true, ""};
  }
  for (const char* name : {"pids", "memory", "systemd"}) {
    const std::string path = absl::StrCat(root, "/", name);
    if (!IsMagic(path, CGROUP_SUPER_MAGIC)) continue;
    const bool systemd = std::string_view(name) == "systemd";
    return CgroupHierarchy{path, false, systemd ? "name=systemd" : name};
  }
  return absl::NotFoundError(absl::StrCat("no cgroup hierarchy is mounted under ", root));
}

}  // namespace roster

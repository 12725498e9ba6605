// Cgroups that a container had made below its own before anybody watched.
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "kernel/errors.h"
#include "kernel/fd.h"
#include "mirror/mirror.h"
#include "process/cgroup_id.h"

namespace roster {
namespace {

absl::StatusOr<Fd> OpenDirectory(const std::string& path) {
  Fd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) return ErrnoStatus("open", path, errno);
  return fd;
}

std::vector<std::string> Subdirectories(Fd directory, const std::string& path) {
  std::vector<std::string> paths;
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(fdopendir(directory.get()), closedir);
  if (stream == nullptr) return paths;
  (void)directory.Release();  // the stream's from here
  while (const dirent* entry = readdir(stream.get())) {
    if (entry->d_type != DT_DIR || entry->d_name[0] == '.') continue;
    paths.push_back(absl::StrCat(path, "/", entry->d_name));
  }
  return paths;
}

}  // namespace

absl::Status Mirror::EnterChildCgroups(uint64_t handle, const std::string& directory) {
  const roster_membership* m = slots_.Find(handle);
  if (m == nullptr || m->cgroup_id == 0) return absl::OkStatus();
  roster_birth* birth = slots_.Birth(handle);
  ROSTER_ASSIGN_OR_RETURN(Fd top, OpenDirectory(directory));
  // Each is entered before its children are looked for: from then on the kernel's programs enter
  // those that are made.
  std::vector<std::string> left = Subdirectories(std::move(top), directory);
  while (!left.empty()) {
    const std::string path = std::move(left.back());
    left.pop_back();
    absl::StatusOr<Fd> child = OpenDirectory(path);
    if (!child.ok()) continue;  // removed meanwhile
    const absl::StatusOr<uint64_t> id =
        CgroupIdOfPath(absl::StrCat("/proc/self/fd/", child->get(), "/."));
    if (!id.ok()) continue;
    if (LoadField(birth->ncgroups) >= ROSTER_MAX_CHILD_CGROUPS) {
      return absl::ResourceExhaustedError(
          absl::StrCat(path, " and ", left.size(), " more are beyond one container's part"));
    }
    absl::Status entered = maps_.cgroup.Set(*id, handle, BPF_NOEXIST);
    if (entered.ok()) {
      AddField(birth->ncgroups, 1);
      // One that was removed before has been looked for in vain, and will not be again.
      if (faccessat(child->get(), "cgroup.procs", F_OK, 0) != 0 && maps_.cgroup.Remove(*id)) {
        AddField(birth->ncgroups, -1);
      }
    } else if (!absl::IsAlreadyExists(entered)) {
      Count(ROSTER_STAT_CGROUP_FULL);
      return entered;
    } else if (maps_.cgroup.Find(*id) != handle) {
      continue;  // another container's, with all that is below
    }
    for (std::string& next : Subdirectories(*std::move(child), path)) {
      left.push_back(std::move(next));
    }
  }
  abi_.Changed();
  return absl::OkStatus();
}

}  // namespace roster

#include "cli/removal.h"

#include <dirent.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "daemon/state_dir.h"
#include "kernel/errors.h"
#include "kernel/pins.h"

namespace roster::cli {
namespace {

bool Exists(const std::string& path) {
  struct stat status = {};
  return lstat(path.c_str(), &status) == 0;
}

bool IsDirectory(const std::string& path) {
  struct stat status = {};
  return lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

absl::StatusOr<std::vector<std::string>> NamesIn(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(path.c_str()), closedir);
  if (directory == nullptr) return ErrnoStatus("read directory", path, errno);
  std::vector<std::string> names;
  while (const dirent* entry = readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Everything below `path`, which is one of our own directories. A BPF file system has no symbolic
// links but to what is pinned, and lstat does not follow those either.
absl::Status PlanBelow(const std::string& path, RemovalPlan* plan) {
  ROSTER_ASSIGN_OR_RETURN(const std::vector<std::string> names, NamesIn(path));
  for (const std::string& name : names) {
    const std::string child = absl::StrCat(path, "/", name);
    if (IsDirectory(child)) {
      ROSTER_RETURN_IF_ERROR(PlanBelow(child, plan));
    } else {
      plan->files.push_back(child);
    }
  }
  plan->directories.push_back(path);
  return absl::OkStatus();
}

absl::Status PlanPins(const std::string& pin_dir, RemovalPlan* plan) {
  if (!Exists(pin_dir)) return absl::OkStatus();
  struct statfs status = {};
  if (statfs(pin_dir.c_str(), &status) != 0)
    return ErrnoStatus("inspect pin directory", pin_dir, errno);
  if (status.f_type != BPF_FS_MAGIC) {
    return absl::FailedPreconditionError(absl::StrCat(
        "pin directory ", pin_dir, ": is not on a BPF file system, so it is not Roster's"));
  }
  const PinPaths ours(pin_dir);
  ROSTER_ASSIGN_OR_RETURN(const std::vector<std::string> names, NamesIn(pin_dir));
  // All names before the first path is planned: one stranger, and the directory is not ours.
  for (const std::string& name : names) {
    const std::string path = absl::StrCat(pin_dir, "/", name);
    const bool directory =
        path == ours.links() || path == ours.internal() || path == ours.tracers();
    if (directory ? !IsDirectory(path) : (!name.starts_with("roster_") || IsDirectory(path))) {
      return absl::FailedPreconditionError(
          absl::StrCat("pin directory ", pin_dir, ": has \"", name,
                       "\", which Roster does not make; nothing is removed"));
    }
  }
  for (const std::string& directory : {ours.links(), ours.internal(), ours.tracers()}) {
    if (Exists(directory)) ROSTER_RETURN_IF_ERROR(PlanBelow(directory, plan));
  }
  for (const std::string& name : names) {
    const std::string path = absl::StrCat(pin_dir, "/", name);
    if (!IsDirectory(path)) plan->files.push_back(path);
  }
  plan->directories.push_back(pin_dir);
  // .../roster, unless another ABI version or somebody else has something there.
  const std::string parent = pin_dir.substr(0, pin_dir.rfind('/'));
  if (parent.ends_with("/roster")) plan->directories.push_back(parent);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RemovalPlan> PlanRemoval(const Paths& paths) {
  RemovalPlan plan;
  std::string pin_dir = paths.pin_dir;
  while (pin_dir.size() > 1 && pin_dir.ends_with('/')) pin_dir.pop_back();
  if (pin_dir.empty() || pin_dir[0] != '/' || pin_dir == "/") {
    return absl::InvalidArgumentError(
        absl::StrCat("--pin-dir \"", paths.pin_dir, "\": must be an absolute path"));
  }
  ROSTER_RETURN_IF_ERROR(PlanPins(pin_dir, &plan));
  struct stat status = {};
  if (lstat(paths.socket.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) {
      return absl::FailedPreconditionError(
          absl::StrCat("socket ", paths.socket, ": is no socket; nothing is removed"));
    }
    plan.files.push_back(paths.socket);
  }
  bool any = false;
  for (const char* name : kStateFiles) {
    const std::string path = absl::StrCat(paths.state_dir, "/", name);
    if (lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    plan.files.push_back(path);
    any = true;
  }
  if (any || paths.socket.starts_with(paths.state_dir + "/")) {
    if (IsDirectory(paths.state_dir)) plan.directories.push_back(paths.state_dir);
  }
  return plan;
}

absl::Status Remove(const RemovalPlan& plan) {
  absl::Status first;
  const auto note = [&](const char* what, const std::string& path) {
    if (first.ok()) first = ErrnoStatus(what, path, errno);
  };
  for (const std::string& file : plan.files) {
    if (unlink(file.c_str()) != 0 && errno != ENOENT) note("remove", file);
  }
  for (const std::string& directory : plan.directories) {
    // What is not empty has something of somebody else's in it.
    if (rmdir(directory.c_str()) != 0 && errno != ENOENT && errno != ENOTEMPTY && errno != EEXIST) {
      note("remove directory", directory);
    }
  }
  return first;
}

}  // namespace roster::cli

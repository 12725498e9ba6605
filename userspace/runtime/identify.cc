#include "runtime/identify.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "kernel/errors.h"
#include "runtime/bounded_file.h"
#include "runtime/cgroup_path.h"
#include "runtime/container_id.h"
#include "runtime/metadata.h"
#include "runtime/monitor.h"
#include "runtime/pid_file.h"
#include "runtime/runtime_state.h"
#include "runtime/subject.h"

namespace roster {
namespace {

std::vector<std::string> Subdirectories(const std::string& path) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir(path.c_str()), closedir);
  if (dir == nullptr) return names;
  while (const dirent* entry = readdir(dir.get())) {
    if (entry->d_name[0] != '.' && (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN)) {
      names.push_back(absl::StrCat(path, "/", entry->d_name));
    }
  }
  return names;
}

void AddUnique(std::string item, std::vector<std::string>* list) {
  if (!item.empty() && std::find(list->begin(), list->end(), item) == list->end()) {
    list->push_back(std::move(item));
  }
}

// All that is known of the process at hand.
struct Subject {
  pid_t pid = 0;
  uint64_t start_time_ticks = 0;
  bool pid_namespace_init = false;
  TaskCgroups cgroups;
  std::optional<ProcTask> parent;
  std::optional<Monitor> monitor;
  std::string runtime_path;
};

absl::StatusOr<Subject> ReadSubject(pid_t pid) {
  ROSTER_ASSIGN_OR_RETURN(const ProcTask task, ProcTask::Open(pid));
  Subject subject;
  subject.pid = pid;
  ROSTER_ASSIGN_OR_RETURN(subject.start_time_ticks, task.StartTimeTicks());
  ROSTER_ASSIGN_OR_RETURN(const TaskStatus status, task.Status());
  ROSTER_ASSIGN_OR_RETURN(subject.cgroups, task.Cgroups());
  subject.pid_namespace_init = IsPidNamespaceInit(status);
  if (status.parent_pid > 1) {
    if (absl::StatusOr<ProcTask> parent = ProcTask::Open(status.parent_pid); parent.ok()) {
      subject.parent = *std::move(parent);
      subject.monitor = ReadMonitor(*subject.parent, OwnMntns());
      subject.runtime_path = RuntimeAtWork(*subject.parent, OwnMntns());
      if (subject.runtime_path.empty() && subject.monitor.has_value()) {
        subject.runtime_path = subject.monitor->runtime_path;
      }
    }
  }
  return subject;
}

// Ids that may be the container's: to be looked up in the state directories, not to be believed.
std::vector<std::string> IdHints(const Subject& subject) {
  std::vector<std::string> hints;
  if (const std::optional<CgroupClaim> claim = ClaimOf(subject.cgroups))
    AddUnique(claim->id, &hints);
  if (subject.monitor.has_value()) AddUnique(subject.monitor->id, &hints);
  for (const std::string& path : subject.cgroups.all) {
    const std::vector<absl::string_view> names = absl::StrSplit(path, '/', absl::SkipEmpty());
    for (auto name = names.rbegin(); name != names.rend(); ++name) {
      const absl::string_view plain = absl::StripSuffix(*name, ".scope");
      AddUnique(std::string(plain), &hints);
      const size_t dash = plain.find('-');  // the systemd driver: <prefix>-<id>.scope
      if (dash != absl::string_view::npos) AddUnique(std::string(plain.substr(dash + 1)), &hints);
    }
  }
  return hints;
}

// The state that names the subject, be it as its container's init or as its gofer.
std::optional<RuntimeState> FindState(const Subject& subject, std::vector<std::string> roots) {
  if (subject.monitor.has_value()) {
    roots.insert(roots.begin(), subject.monitor->state_roots.begin(),
                 subject.monitor->state_roots.end());
  }
  const auto try_state = [&subject](const std::string& root, const std::string& id) {
    absl::StatusOr<RuntimeState> state = ReadRuntimeState(root, id);
    if (state.ok() && (IsInitOf(*state, subject.pid, subject.start_time_ticks) ||
                       state->gofer_pid == subject.pid)) {
      return std::optional<RuntimeState>(*std::move(state));
    }
    return std::optional<RuntimeState>();
  };
  const std::vector<std::string> hints = IdHints(subject);
  for (const std::string& root : roots) {
    for (const std::string& id : hints) {
      if (std::optional<RuntimeState> state = try_state(root, id)) return state;
    }
  }
  for (const std::string& root : roots) {
    for (const std::string& id : ListRuntimeStates(root)) {
      if (std::optional<RuntimeState> state = try_state(root, id)) return state;
    }
  }
  return std::nullopt;
}

// What the monitor says beyond the id. A shim of a pod has its own bundle, but those of its
// containers are beside it.
void FillFromMonitor(const Monitor& monitor, Identity* identity) {
  identity->runtime_name = monitor.runtime_name;
  if (identity->oci_runtime.empty()) identity->oci_runtime = monitor.oci_runtime;
  if (identity->id == monitor.id) {
    identity->name = monitor.name;
    identity->pid_file = monitor.pid_file;
    if (identity->bundle.empty()) identity->bundle = monitor.bundle;
  } else if (!monitor.bundle_parent.empty()) {
    const std::string bundle = absl::StrCat(monitor.bundle_parent, "/", identity->id);
    identity->pid_file = absl::StrCat(bundle, "/init.pid");
    if (identity->bundle.empty()) identity->bundle = bundle;
  }
}

bool PidFileSays(const std::string& path, pid_t pid) {
  const absl::StatusOr<std::string> text = ReadBoundedFile(
      AT_FDCWD, path.c_str(), path, {.max_bytes = kMaxPidFileBytes, .root_owned = true});
  if (!text.ok()) return false;
  const absl::StatusOr<pid_t> said = ParsePid(*text);
  return said.ok() && *said == pid;
}

// The monitor alone vouches, with its pid file where it has one. Without: an orphan of a container
// in the host's pid namespace becomes the monitor's child as well, so only a pid namespace's first
// process is believed.
std::optional<Identity> FromMonitor(const Subject& subject) {
  if (!subject.monitor.has_value()) return std::nullopt;
  std::vector<std::string> ids = {subject.monitor->id};
  if (const std::optional<CgroupClaim> claim = ClaimOf(subject.cgroups)) {
    // The cgroup knows which of a pod's containers this is.
    if (claim->id != ids.front()) ids.insert(ids.begin(), claim->id);
  }
  for (const std::string& id : ids) {
    Identity identity;
    identity.id = id;
    identity.source = "parent";
    FillFromMonitor(*subject.monitor, &identity);
    if (!identity.pid_file.empty() && PidFileSays(identity.pid_file, subject.pid)) return identity;
    if (ids.size() == 1 && identity.pid_file.empty() && subject.pid_namespace_init) return identity;
  }
  return std::nullopt;
}

// Whether the cgroup at `path` exists and is root's in every hierarchy that has it.
bool IsRootsCgroup(const std::string& cgroup_root, const std::string& path) {
  bool found = false;
  for (const char* hierarchy : {"", "/unified", "/systemd", "/pids", "/memory"}) {
    struct stat info;
    if (stat(absl::StrCat(cgroup_root, hierarchy, path).c_str(), &info) != 0) continue;
    if (info.st_uid != 0) return false;
    found = true;
  }
  return found;
}

std::optional<Identity> FromCgroup(const Subject& subject, const std::string& cgroup_root) {
  const std::optional<CgroupClaim> parents =
      subject.parent.has_value() ? ClaimOf(*subject.parent) : std::nullopt;
  for (const std::string& path : subject.cgroups.all) {
    const std::optional<CgroupClaim> claim = ParseCgroupPath(path);
    if (!claim.has_value() || !IsRootsCgroup(cgroup_root, path)) continue;
    // A process that the container's own processes started is not its init.
    if (parents.has_value() && parents->id == claim->id) continue;
    Identity identity;
    identity.id = claim->id;
    identity.runtime_name = claim->runtime_name;
    identity.source = "cgroup";
    return identity;
  }
  return std::nullopt;
}

void AddBundle(Identity* identity) {
  if (identity->bundle.empty()) return;
  absl::StatusOr<Bundle> bundle = ReadBundleAt(identity->bundle);
  if (!bundle.ok()) return;  // who it is does not hang on it; a bundle may have been removed since
  identity->bundle = bundle->path;
  Container container;
  container.bundle = bundle->path;
  FillFromSpec(bundle->spec, &container);
  if (!container.runtime.runtime_name.empty()) {
    identity->runtime_name = container.runtime.runtime_name;
  }
  identity->bundle_contents = *std::move(bundle);
}

}  // namespace

std::vector<std::string> DefaultStateRoots() {
  std::vector<std::string> roots;
  for (const char* root : {"/run/runc", "/run/crun", "/run/youki", "/run/runsc"}) {
    if (access(root, F_OK) == 0) roots.emplace_back(root);
  }
  for (const char* shims : {"/run/containerd/runc", "/run/containerd/runsc"}) {
    for (std::string& root : Subdirectories(shims)) roots.push_back(std::move(root));
  }
  for (const std::string& runtime : Subdirectories("/run/docker")) {
    if (!runtime.starts_with("/run/docker/runtime-")) continue;
    for (std::string& root : Subdirectories(runtime)) roots.push_back(std::move(root));
  }
  return roots;
}

absl::StatusOr<Identity> IdentifyRunning(pid_t pid, const IdentifyOptions& options) {
  ROSTER_ASSIGN_OR_RETURN(const Subject subject, ReadSubject(pid));
  std::optional<Identity> identity;
  const std::vector<std::string> roots =
      options.state_roots.empty() ? DefaultStateRoots() : options.state_roots;
  if (std::optional<RuntimeState> state = FindState(subject, roots)) {
    if (state->init_pid != pid) {
      return absl::NotFoundError(absl::StrCat("identify process ", pid, ": the gofer of container ",
                                              state->id, ", not its init"));
    }
    identity.emplace();
    identity->id = state->id;
    identity->oci_runtime = state->oci_runtime;
    identity->bundle = state->bundle;
    identity->source = "state";
    if (subject.monitor.has_value()) FillFromMonitor(*subject.monitor, &*identity);
  } else {
    identity = FromMonitor(subject);
    if (!identity.has_value()) identity = FromCgroup(subject, options.cgroup_root);
  }
  if (!identity.has_value()) {
    return absl::NotFoundError(
        absl::StrCat("identify process ", pid, ": nothing vouches for it as a container"));
  }
  identity->runtime_path = subject.runtime_path;
  if (identity->runtime_name.empty()) {
    if (const std::optional<CgroupClaim> claim = ClaimOf(subject.cgroups);
        claim.has_value() && claim->id == identity->id) {
      identity->runtime_name = claim->runtime_name;
    }
  }
  AddBundle(&*identity);
  return *std::move(identity);
}

}  // namespace roster

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "runtime/identify.h"
#include "runtime/monitor.h"
#include "runtime/runtime_state.h"
#include "runtime/subject.h"

namespace roster {
namespace {

// Whether a process in a mount namespace of its own, which is not pid 1 of a pid namespace, looks
// like an init.
bool LooksLikeHostPidInit(const ProcTask& task, pid_t parent_pid, uint64_t host_mntns) {
  const std::optional<CgroupClaim> own = ClaimOf(task);
  if (parent_pid <= 1) return own.has_value();
  const absl::StatusOr<ProcTask> parent = ProcTask::Open(parent_pid);
  if (!parent.ok()) return false;
  if (ReadMonitor(*parent, host_mntns).has_value()) return true;
  if (!own.has_value()) return false;
  const std::optional<CgroupClaim> parents = ClaimOf(*parent);
  return !parents.has_value() || parents->id != own->id;
}

// The inode in "mnt:[4026531841]"; 0 when it cannot be read.
uint64_t MntnsOf(int proc, const char* pid) {
  const std::string path = absl::StrCat(pid, "/ns/mnt");
  char text[64];
  const ssize_t size = readlinkat(proc, path.c_str(), text, sizeof(text));
  if (size <= 0) return 0;
  absl::string_view link(text, static_cast<size_t>(size));
  uint64_t inode = 0;
  if (!absl::ConsumePrefix(&link, "mnt:[") || !absl::ConsumeSuffix(&link, "]")) return 0;
  return absl::SimpleAtoi(link, &inode) ? inode : 0;
}

bool IsRunningState(const RuntimeState& state, uint64_t host_mntns) {
  const absl::StatusOr<ProcTask> task = ProcTask::Open(state.init_pid);
  if (!task.ok()) return false;
  const absl::StatusOr<uint64_t> start = task->StartTimeTicks();
  const absl::StatusOr<uint64_t> mntns = task->NamespaceInode(NamespaceKind::kMnt);
  return start.ok() && mntns.ok() && *mntns != host_mntns &&
         IsInitOf(state, state.init_pid, *start);
}

}  // namespace

std::vector<pid_t> FindRunningContainerInits(uint64_t host_mntns) {
  std::vector<pid_t> inits;
  const std::unique_ptr<DIR, int (*)(DIR*)> proc(opendir("/proc"), closedir);
  if (proc == nullptr) return inits;
  if (host_mntns == 0) host_mntns = OwnMntns();
  while (const dirent* entry = readdir(proc.get())) {
    pid_t pid = 0;
    if (!absl::SimpleAtoi(entry->d_name, &pid)) continue;
    const uint64_t mntns = MntnsOf(dirfd(proc.get()), entry->d_name);
    if (mntns == 0 || mntns == host_mntns) continue;
    const absl::StatusOr<ProcTask> task = ProcTask::Open(pid);
    if (!task.ok()) continue;
    const absl::StatusOr<TaskStatus> status = task->Status();
    if (!status.ok()) continue;
    if (IsPidNamespaceInit(*status) ||
        LooksLikeHostPidInit(*task, status->parent_pid, host_mntns)) {
      inits.push_back(pid);
    }
  }
  // A container in the host's pid namespace, without a monitor, is known to its runtime alone.
  for (const std::string& root : DefaultStateRoots()) {
    for (const std::string& id : ListRuntimeStates(root)) {
      const absl::StatusOr<RuntimeState> state = ReadRuntimeState(root, id);
      if (state.ok() && IsRunningState(*state, host_mntns)) inits.push_back(state->init_pid);
    }
  }
  std::sort(inits.begin(), inits.end());
  inits.erase(std::unique(inits.begin(), inits.end()), inits.end());
  return inits;
}

}  // namespace roster

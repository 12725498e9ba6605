// ProcTask is one task (thread) seen through /proc, pinned so that pid reuse cannot fool the
// reader.
#ifndef ROSTER_USERSPACE_PROCESS_PROC_TASK_H_
#define ROSTER_USERSPACE_PROCESS_PROC_TASK_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "kernel/fd.h"

namespace roster {

enum class NamespaceKind { kMnt, kNet, kPid, kUser, kCgroup };

// The paths of a task's cgroups, relative to each hierarchy's root, exactly as /proc/<tid>/cgroup
// has them ("/" for the root; "" where the task is in no such hierarchy).
struct TaskCgroups {
  std::string v1;  // in name=systemd, else in pids, memory, else in the first v1 hierarchy
  std::string v2;
  std::vector<std::string> all;  // every distinct path, in the file's order
};

// What /proc/<tid>/status says, from one read.
struct TaskStatus {
  pid_t tgid = 0;
  pid_t parent_pid = 0;
  uid_t real_uid = 0;  // as the reader's user namespace sees it (65534: not mapped)
  uid_t effective_uid = 0;
  std::vector<pid_t> ns_tgids;  // NStgid: the tgid in each pid namespace, from the reader's inwards
};

//   ROSTER_ASSIGN_OR_RETURN(ProcTask task, ProcTask::Open(tid));
//   ROSTER_ASSIGN_OR_RETURN(uint64_t mntns, task.NamespaceInode(NamespaceKind::kMnt));
//
// The directory /proc/<tid> is opened once: when the task ends, every method returns NOT_FOUND,
// also when the number has been given to another task meanwhile. A method costs one to three system
// calls and does not block. Const methods may be called from several threads.
class ProcTask {
 public:
  // NOT_FOUND when there is no such task. `tid` may be a thread that is no group leader.
  static absl::StatusOr<ProcTask> Open(pid_t tid, std::string_view proc_root = "/proc");

  pid_t tid() const { return tid_; }
  // The directory itself, for *at() calls.
  int fd() const { return dir_.get(); }

  absl::StatusOr<TaskStatus> Status() const;
  absl::StatusOr<pid_t> Tgid() const;
  absl::StatusOr<pid_t> ParentPid() const;
  // Field 22 of stat: clock ticks since boot. Together with the pid it names a process for this
  // boot.
  absl::StatusOr<uint64_t> StartTimeTicks() const;
  // The same as BootTimeNs has it, rounded down to a tick.
  absl::StatusOr<uint64_t> StartBootTimeNs() const;
  absl::StatusOr<uid_t> RealUid() const;
  absl::StatusOr<uid_t> EffectiveUid() const;
  absl::StatusOr<std::string> Comm() const;
  // The link's text, " (deleted)" included.
  absl::StatusOr<std::string> Exe() const;
  absl::StatusOr<std::string> CwdPath() const;
  absl::StatusOr<std::string> RootPath() const;
  // O_PATH descriptors of the task's root and working directory.
  absl::StatusOr<Fd> OpenRoot() const;
  absl::StatusOr<Fd> OpenCwd() const;
  // The arguments of a running process; at most 1 MiB is read. Not for a task held at execve, whose
  // new arguments are not there yet: see held_exec.h. Empty for a kernel thread or a zombie.
  absl::StatusOr<std::vector<std::string>> Cmdline() const;
  absl::StatusOr<TaskCgroups> Cgroups() const;
  absl::StatusOr<uint64_t> NamespaceInode(NamespaceKind kind) const;
  // An O_RDONLY descriptor of the namespace, which keeps it alive.
  absl::StatusOr<Fd> OpenNamespace(NamespaceKind kind) const;
  // A small file of the directory, at most `limit` bytes of it.
  absl::StatusOr<std::string> ReadFile(const char* name, size_t limit = 65536) const;

 private:
  ProcTask(pid_t tid, Fd dir) : tid_(tid), dir_(std::move(dir)) {}
  absl::StatusOr<std::string> ReadLink(const char* name) const;
  absl::StatusOr<Fd> OpenPath(const char* name, int flags) const;
  absl::Status Error(const char* operation, const char* name, int error) const;

  pid_t tid_;
  Fd dir_;
};

// Parses the text of /proc/<tid>/stat, whose second field may hold blanks and parentheses. Returns
// the words from the third field (state) on. INVALID_ARGUMENT when there is no such field.
absl::StatusOr<std::vector<std::string>> ParseStatFields(std::string_view stat);
TaskCgroups ParseCgroupFile(std::string_view text);

}  // namespace roster

#endif  // ROSTER_USERSPACE_PROCESS_PROC_TASK_H_

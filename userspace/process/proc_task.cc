#include "process/proc_task.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "kernel/errors.h"

namespace roster {
namespace {

constexpr size_t kMaxCmdlineBytes = 1 << 20;

absl::string_view ToAbslView(std::string_view text) { return {text.data(), text.size()}; }

const char* NamespaceFile(NamespaceKind kind) {
  switch (kind) {
    case NamespaceKind::kMnt:
      return "ns/mnt";
    case NamespaceKind::kNet:
      return "ns/net";
    case NamespaceKind::kPid:
      return "ns/pid";
    case NamespaceKind::kUser:
      return "ns/user";
    case NamespaceKind::kCgroup:
      return "ns/cgroup";
  }
  return "ns/mnt";
}

// The first number of a line of /proc/<tid>/status; 0 where there is none, which the kernel never
// writes.
template <typename Number>
Number FirstNumber(absl::string_view text) {
  Number number = 0;
  for (absl::string_view word : absl::StrSplit(text, absl::ByAnyChar("\t "), absl::SkipEmpty())) {
    if (absl::SimpleAtoi(word, &number)) return number;
  }
  return number;
}

}  // namespace

absl::StatusOr<ProcTask> ProcTask::Open(pid_t tid, std::string_view proc_root) {
  const std::string path = absl::StrCat(ToAbslView(proc_root), "/", tid);
  Fd dir(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!dir.valid()) return ErrnoStatus("open", path, errno);
  return ProcTask(tid, std::move(dir));
}

absl::Status ProcTask::Error(const char* operation, const char* name, int error) const {
  // A task that has ended reads as ESRCH, its directory's entries as ENOENT; to a caller they are
  // one thing.
  if (error == ESRCH) error = ENOENT;
  return ErrnoStatus(operation, absl::StrCat("/proc/", tid_, "/", name), error);
}

absl::StatusOr<Fd> ProcTask::OpenPath(const char* name, int flags) const {
  Fd fd(openat(dir_.get(), name, flags | O_CLOEXEC));
  if (!fd.valid()) return Error("open", name, errno);
  return fd;
}

absl::StatusOr<std::string> ProcTask::ReadFile(const char* name, size_t limit) const {
  ROSTER_ASSIGN_OR_RETURN(Fd fd, OpenPath(name, O_RDONLY));
  std::string text;
  size_t used = 0;
  while (used < limit) {
    text.resize(std::min(limit, std::max<size_t>(4096, used * 2)));
    const ssize_t got = read(fd.get(), text.data() + used, text.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error("read", name, errno);
    if (got == 0) break;
    used += static_cast<size_t>(got);
  }
  text.resize(used);
  return text;
}

absl::StatusOr<std::string> ProcTask::ReadLink(const char* name) const {
  std::string target(256, '\0');
  while (true) {
    const ssize_t size = readlinkat(dir_.get(), name, target.data(), target.size());
    if (size < 0) return Error("readlink", name, errno);
    if (static_cast<size_t>(size) < target.size()) {
      target.resize(static_cast<size_t>(size));
      return target;
    }
    target.resize(target.size() * 4);
  }
}

absl::StatusOr<TaskStatus> ProcTask::Status() const {
  ROSTER_ASSIGN_OR_RETURN(const std::string text, ReadFile("status"));
  TaskStatus status;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::pair<absl::string_view, absl::string_view> field =
        absl::StrSplit(line, absl::MaxSplits(':', 1));
    if (field.first == "Tgid") {
      status.tgid = FirstNumber<pid_t>(field.second);
    } else if (field.first == "PPid") {
      status.parent_pid = FirstNumber<pid_t>(field.second);
    } else if (field.first == "Uid") {
      const std::vector<absl::string_view> ids = absl::StrSplit(
          field.second, absl::ByAnyChar("\t "), absl::SkipEmpty());  // real, effective, saved, fs
      if (ids.size() < 2 || !absl::SimpleAtoi(ids[0], &status.real_uid) ||
          !absl::SimpleAtoi(ids[1], &status.effective_uid)) {
        return absl::InternalError(absl::StrCat("/proc/", tid_, "/status: no Uid"));
      }
    } else if (field.first == "NStgid") {
      for (absl::string_view word :
           absl::StrSplit(field.second, absl::ByAnyChar("\t "), absl::SkipEmpty())) {
        pid_t pid = 0;
        if (absl::SimpleAtoi(word, &pid)) status.ns_tgids.push_back(pid);
      }
    }
  }
  // Read after the task's end, the file is empty rather than absent.
  if (status.tgid == 0) return Error("read", "status", ENOENT);
  return status;
}

absl::StatusOr<pid_t> ProcTask::Tgid() const {
  ROSTER_ASSIGN_OR_RETURN(const TaskStatus status, Status());
  return status.tgid;
}

absl::StatusOr<pid_t> ProcTask::ParentPid() const {
  ROSTER_ASSIGN_OR_RETURN(const TaskStatus status, Status());
  return status.parent_pid;
}

absl::StatusOr<uid_t> ProcTask::RealUid() const {
  ROSTER_ASSIGN_OR_RETURN(const TaskStatus status, Status());
  return status.real_uid;
}

absl::StatusOr<uid_t> ProcTask::EffectiveUid() const {
  ROSTER_ASSIGN_OR_RETURN(const TaskStatus status, Status());
  return status.effective_uid;
}

absl::StatusOr<uint64_t> ProcTask::StartTimeTicks() const {
  ROSTER_ASSIGN_OR_RETURN(const std::string text, ReadFile("stat"));
  if (text.empty()) return Error("read", "stat", ENOENT);
  ROSTER_ASSIGN_OR_RETURN(const std::vector<std::string> fields, ParseStatFields(text));
  constexpr size_t kStartTime =
      22 - 3;  // proc(5) counts from 1, the parsed fields begin with the third
  uint64_t ticks = 0;
  if (fields.size() <= kStartTime || !absl::SimpleAtoi(fields[kStartTime], &ticks)) {
    return absl::InternalError(absl::StrCat("/proc/", tid_, "/stat: no start time"));
  }
  return ticks;
}

absl::StatusOr<uint64_t> ProcTask::StartBootTimeNs() const {
  ROSTER_ASSIGN_OR_RETURN(const uint64_t ticks, StartTimeTicks());
  const long per_second = sysconf(_SC_CLK_TCK);
  if (per_second <= 0) return absl::InternalError("sysconf does not tell the length of a tick");
  return ticks * (1'000'000'000 / static_cast<uint64_t>(per_second));
}

absl::StatusOr<std::string> ProcTask::Comm() const {
  ROSTER_ASSIGN_OR_RETURN(std::string comm, ReadFile("comm"));
  if (!comm.empty() && comm.back() == '\n') comm.pop_back();
  return comm;
}

absl::StatusOr<std::string> ProcTask::Exe() const { return ReadLink("exe"); }
absl::StatusOr<std::string> ProcTask::CwdPath() const { return ReadLink("cwd"); }
absl::StatusOr<std::string> ProcTask::RootPath() const { return ReadLink("root"); }
absl::StatusOr<Fd> ProcTask::OpenRoot() const { return OpenPath("root", O_PATH | O_DIRECTORY); }
absl::StatusOr<Fd> ProcTask::OpenCwd() const { return OpenPath("cwd", O_PATH | O_DIRECTORY); }

absl::StatusOr<std::vector<std::string>> ProcTask::Cmdline() const {
  ROSTER_ASSIGN_OR_RETURN(std::string text, ReadFile("cmdline", kMaxCmdlineBytes));
  std::vector<std::string> words;
  if (text.empty()) return words;
  if (text.back() == '\0') text.pop_back();
  return std::vector<std::string>(absl::StrSplit(text, '\0'));
}

absl::StatusOr<TaskCgroups> ProcTask::Cgroups() const {
  ROSTER_ASSIGN_OR_RETURN(const std::string text, ReadFile("cgroup"));
  return ParseCgroupFile(text);
}

absl::StatusOr<uint64_t> ProcTask::NamespaceInode(NamespaceKind kind) const {
  const char* name = NamespaceFile(kind);
  struct stat info;
  if (fstatat(dir_.get(), name, &info, 0) != 0) return Error("stat", name, errno);
  return info.st_ino;
}

absl::StatusOr<Fd> ProcTask::OpenNamespace(NamespaceKind kind) const {
  return OpenPath(NamespaceFile(kind), O_RDONLY);
}

absl::StatusOr<std::vector<std::string>> ParseStatFields(std::string_view stat) {
  // The comm may contain ')', but nothing behind it can.
  const size_t end = stat.rfind(')');
  if (end == std::string_view::npos) {
    return absl::InvalidArgumentError("/proc/<pid>/stat: no comm in parentheses");
  }
  std::vector<std::string> fields =
      absl::StrSplit(ToAbslView(stat.substr(end + 1)), absl::ByAnyChar(" \n"), absl::SkipEmpty());
  if (fields.empty()) return absl::InvalidArgumentError("/proc/<pid>/stat: nothing after the comm");
  return fields;
}

TaskCgroups ParseCgroupFile(std::string_view text) {
  TaskCgroups cgroups;
  int best = 4;  // smaller is better
  for (absl::string_view line : absl::StrSplit(ToAbslView(text), '\n', absl::SkipEmpty())) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (fields.size() != 3) continue;
    std::string path(fields[2]);
    if (fields[0] == "0" && fields[1].empty()) {
      cgroups.v2 = path;
    } else {
      int rank = 3;
      for (absl::string_view controller : absl::StrSplit(fields[1], ',')) {
        if (controller == "name=systemd") rank = std::min(rank, 0);
        if (controller == "pids") rank = std::min(rank, 1);
        if (controller == "memory") rank = std::min(rank, 2);
      }
      if (rank < best) {
        best = rank;
        cgroups.v1 = path;
      }
    }
    if (std::find(cgroups.all.begin(), cgroups.all.end(), path) == cgroups.all.end()) {
      cgroups.all.push_back(std::move(path));
    }
  }
  return cgroups;
}

}  // namespace roster

#include "tracker/hold_handler.h"

#include <linux/magic.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "kernel/clock.h"
#include "kernel/fd_path.h"
#include "log/log.h"
#include "runtime/pid_file.h"

namespace roster {
namespace {

// How long to leave a task that is not yet asleep in its execve; doubled each time.
constexpr absl::Duration kFirstWait = absl::Microseconds(100);
constexpr absl::Duration kLongestWait = absl::Milliseconds(5);

bool IsRootsAlone(int fd) {
  struct stat info;
  return fstat(fd, &info) == 0 && info.st_uid == 0 && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

}  // namespace

HoldHandler::HoldHandler(EventLoop* loop, Keeper* keeper, const RuntimeMarks* marks,
                         PidFileMarks* pid_files, const HeldCalls* calls, Mirror* mirror,
                         Roll* roll)
    : loop_(loop),
      keeper_(keeper),
      marks_(marks),
      pid_files_(pid_files),
      calls_(calls),
      mirror_(mirror),
      roll_(roll) {}

void HoldHandler::OnEvent(const HeldEvent& event) {
  mirror_->Count(ROSTER_STAT_HOLDS);
  if ((event.mask & FAN_Q_OVERFLOW) != 0) {
    LogError("fanotify lost events: containers started meanwhile are resolved late");
    return;
  }
  if (event.already_released) {
    NoteExpired(event, "not looked at");
    return;
  }
  if ((event.mask & FAN_OPEN_EXEC_PERM) != 0) {
    OnExec(event, kFirstWait);
  } else {
    OnPidFileRead(event);
  }
}

void HoldHandler::Release(const HeldEvent& event) {
  if (!keeper_->Release(event.number)) NoteExpired(event, "looked at, answered too late");
}

// The kernel hook gives the container a provisional membership, which is resolved afterwards.
void HoldHandler::NoteExpired(const HeldEvent& event, const char* how) {
  mirror_->Count(ROSTER_STAT_HOLDS_EXPIRED);
  LogWarning("hold expired", {{"tid", event.tid},
                              {"of", (event.mask & FAN_OPEN_EXEC_PERM) != 0 ? "exec" : "pid file"},
                              {"daemon", how},
                              {"ms", (MonotonicNs() - event.read_ns) / 1'000'000}});
}

std::string HoldHandler::BasenameOf(const HeldEvent& event) const {
  for (const MarkedExecutable& marked : marks_->marked()) {
    if (marked.file == event.file) return marked.basename;
  }
  return "";
}

HeldTask HoldHandler::TaskOf(const HeldEvent& event) const {
  HeldTask task{.tid = event.tid, .exe_ino = event.file.ino};
  // An overlay shows userspace other inode numbers than the kernel has.
  struct statfs fs;
  if (fstatfs(event.fd, &fs) != 0 || fs.f_type == OVERLAYFS_SUPER_MAGIC) task.exe_ino = 0;
  return task;
}

void HoldHandler::OnExec(const HeldEvent& event, absl::Duration next_wait) {
  absl::StatusOr<ResolvedExec> exec =
      ResolveExec(event.tid, BasenameOf(event), calls_,
                  [&](const std::string& id) { return roll_->IsPrepared(event.tid, id); });
  if (exec.ok()) {
    OnResolved(event, *std::move(exec));
    return;
  }
  if (absl::IsUnavailable(exec.status())) {
    if (MonotonicNs() < event.deadline_ns) {
      loop_->RunAfter(next_wait, [this, event, next_wait] {
        OnExec(event, std::min(2 * next_wait, kLongestWait));
      });
      return;
    }
    NoteExpired(event, "could not read its arguments in time");
    (void)keeper_->Release(event.number);
    return;
  }
  if (absl::IsPermissionDenied(exec.status())) {
    LogSparsely("runtime not believed", LogLevel::kInfo, "runtime not believed",
                {{"tid", event.tid}, {"reason", exec.status()}});
  } else {
    mirror_->Count(ROSTER_STAT_BAD_BUNDLE);
    LogWarning("runtime's exec not understood", {{"tid", event.tid}, {"error", exec.status()}});
  }
  Release(event);
}

void HoldHandler::OnResolved(const HeldEvent& event, ResolvedExec exec) {
  if (auto* create = std::get_if<PreparedCreate>(&exec)) {
    OnCreate(event, std::move(*create));
    return;
  }
  if (auto* join = std::get_if<JoinIntent>(&exec)) roll_->PrepareJoin(*join, TaskOf(event));
  if (auto* conmon = std::get_if<ConmonIntent>(&exec)) roll_->NoteConmon(std::move(*conmon));
  Release(event);
}

void HoldHandler::OnCreate(const HeldEvent& event, PreparedCreate prepared) {
  // Let go at the deadline, the task may have executed: nobody would take what is armed for it now.
  if (!keeper_->IsHeld(event.number)) {
    Release(event);
    return;
  }
  const std::string id = prepared.intent.id;
  Fd pid_base = std::move(prepared.pid_base);
  const std::string directory = prepared.pid_directory;
  const std::string basename = prepared.pid_basename;
  const bool started_by_others = !prepared.intent.run;
  absl::StatusOr<uint64_t> handle =
      roll_->Prepare(std::move(prepared), TaskOf(event), [this, event] { Release(event); });
  if (!handle.ok()) {
    // Not there any more: its runtime was killed while it was held.
    Log(absl::IsNotFound(handle.status()) ? LogLevel::kInfo : LogLevel::kError,
        "container not entered", {{"id", id}, {"error", handle.status()}});
    Release(event);
    return;
  }
  if (basename.empty() || !started_by_others) return;
  absl::StatusOr<PidFileMarks::Token> token =
      pid_files_->Add(pid_base.get(), directory, basename, *handle);
  if (token.ok()) {
    roll_->AwaitPidFile(*handle, *std::move(token));
  } else {
    mirror_->Count(ROSTER_STAT_BAD_BUNDLE);
    LogWarning("pid file not watched", {{"id", id}, {"error", token.status()}});
  }
}

void HoldHandler::OnPidFileRead(const HeldEvent& event) {
  absl::StatusOr<Fd> file = keeper_->Borrow(event.number);
  if (!file.ok()) {
    Release(event);  // expired meanwhile; also frees its slot
    return;
  }
  const std::vector<uint64_t> handles = pid_files_->Match(file->get());
  if (handles.empty()) {
    Release(event);
    return;
  }
  // Its directory may be one where others write as well.
  if (!IsRootsAlone(file->get())) {
    LogSparsely("pid file not root's", LogLevel::kWarning, "pid file not believed",
                {{"id", roll_->PreparedId(handles.front())},
                 {"path", PathOfFd(file->get())},
                 {"error", "others than root can write it"}});
    Release(event);
    return;
  }
  const absl::StatusOr<pid_t> pid = ReadPidFileFd(file->get());
  if (!pid.ok()) {
    if (!absl::IsUnavailable(pid.status())) {
      mirror_->Count(ROSTER_STAT_BAD_BUNDLE);
      LogWarning("pid file not understood", {{"id", roll_->PreparedId(handles.front())},
                                             {"path", PathOfFd(file->get())},
                                             {"error", pid.status()}});
    }
    Release(event);
    return;
  }
  for (uint64_t handle : handles) {
    const absl::Status status = roll_->Created(handle, *pid, [this, event] { Release(event); });
    if (status.ok()) return;
    if (absl::IsInvalidArgument(status)) {
      mirror_->Count(ROSTER_STAT_BAD_BUNDLE);
      LogWarning("pid file not believed", {{"path", PathOfFd(file->get())}, {"error", status}});
    }
  }
  Release(event);
}

}  // namespace roster

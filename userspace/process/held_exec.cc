#include "process/held_exec.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "kernel/errors.h"
#include "kernel/fd.h"
#include "process/remote_memory.h"

namespace roster {
namespace {

// Appends the string at `address` to `*out`, at most `limit` bytes of it. false when it cannot be
// read to its end;
// `*cut` is set when the limit ended it.
bool ReadString(RemoteMemory& memory, uint64_t address, size_t limit, std::string* out, bool* cut) {
  while (true) {
    const std::string_view piece = memory.ToPageEnd(address);
    if (piece.empty()) return false;
    const size_t end = piece.find('\0');
    const size_t size =
        std::min(end == std::string_view::npos ? piece.size() : end, limit - out->size());
    out->append(piece.substr(0, size));
    if (size == end) return true;
    if (out->size() == limit) {
      *cut = true;
      return true;
    }
    address += piece.size();
  }
}

// The vector's pointers without the final NULL; `*truncated` when there are more than
// kMaxHeldWords.
std::optional<std::vector<uint64_t>> ReadVector(RemoteMemory& memory, uint64_t address,
                                                bool* truncated) {
  std::vector<uint64_t> pointers;
  if (address == 0) return pointers;  // Linux takes NULL for an empty vector
  std::string bytes;                  // what is left of a pointer that straddles two pages
  while (true) {
    const std::string_view piece = memory.ToPageEnd(address);
    if (piece.empty()) return std::nullopt;
    bytes.append(piece);
    address += piece.size();
    size_t at = 0;
    for (; at + sizeof(uint64_t) <= bytes.size(); at += sizeof(uint64_t)) {
      uint64_t pointer = 0;
      memcpy(&pointer, bytes.data() + at, sizeof(pointer));
      if (pointer == 0) return pointers;
      if (pointers.size() == kMaxHeldWords) {
        *truncated = true;
        return pointers;
      }
      pointers.push_back(pointer);
    }
    bytes.erase(0, at);
  }
}

absl::Status Unreadable(pid_t pid, const RemoteMemory& memory, const char* what) {
  const int error = memory.error();
  const std::string object = absl::StrCat(what, " of task ", pid);
  if (error == ESRCH) return ErrnoStatus("read", object, ENOENT);
  if (error == EPERM) return ErrnoStatus("read", object, EPERM);
  return absl::InvalidArgumentError(absl::StrCat("read ", object, ": not mapped"));
}

// By path and in one read, not through ProcTask: a held task's number cannot be given to another,
// and this is on the way of every container's start.
absl::StatusOr<HeldSyscall> ReadSyscallFile(pid_t tid) {
  const std::string path = absl::StrCat("/proc/", tid, "/syscall");
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return ErrnoStatus("open", path, errno);
  char text[256];
  const ssize_t size = read(file.get(), text, sizeof(text));
  if (size < 0) return ErrnoStatus("read", path, errno == ESRCH ? ENOENT : errno);
  if (size == 0) return absl::NotFoundError(absl::StrCat("read ", path, ": the task has ended"));
  return ParseSyscallFile(std::string_view(text, static_cast<size_t>(size)));
}

}  // namespace

absl::StatusOr<HeldExec> ReadExecArguments(pid_t pid, uint64_t filename, uint64_t argv) {
  RemoteMemory memory(pid);
  HeldExec held;
  memory.Prefetch({filename, argv});
  std::optional<std::vector<uint64_t>> pointers = ReadVector(memory, argv, &held.truncated);
  if (!pointers.has_value()) return Unreadable(pid, memory, "the argument vector");
  size_t left = kMaxHeldBytes;
  bool cut = false;
  if (!ReadString(memory, filename, 4096, &held.filename, &cut)) {
    return Unreadable(pid, memory, "the file name");
  }
  held.argv.reserve(pointers->size());
  for (size_t i = 0; i < pointers->size(); ++i) {
    // As many pages at once as fit: one system call for an ordinary command line.
    constexpr size_t kBatch = RemoteMemory::kMaxPages / 2;
    if (i % kBatch == 0) {
      const auto begin = pointers->begin() + static_cast<ptrdiff_t>(i);
      memory.Prefetch(
          {begin, begin + static_cast<ptrdiff_t>(std::min(kBatch, pointers->size() - i))});
    }
    std::string word;
    if (!ReadString(memory, (*pointers)[i], left, &word, &cut)) {
      return Unreadable(pid, memory, "an argument");
    }
    left -= word.size();
    held.argv.push_back(std::move(word));
    if (cut || left == 0) {
      held.truncated = held.truncated || cut || i + 1 < pointers->size();
      break;
    }
  }
  return held;
}

absl::StatusOr<HeldSyscall> ParseSyscallFile(std::string_view text) {
  const std::vector<absl::string_view> words = absl::StrSplit(
      absl::string_view(text.data(), text.size()), absl::ByAnyChar(" \n"), absl::SkipEmpty());
  if (!words.empty() && words[0] == "running") return absl::UnavailableError("the task is running");
  int64_t number = 0;
  if (words.empty() || !absl::SimpleAtoi(words[0], &number)) {
    return absl::InternalError("/proc/<tid>/syscall: not understood");
  }
  if (number < 0) return absl::FailedPreconditionError("the task is in no system call");
  HeldSyscall call;
  call.number = static_cast<uint64_t>(number);
  if (words.size() < 1 + std::size(call.args)) {
    return absl::InternalError("/proc/<tid>/syscall: too few words");
  }
  for (size_t i = 0; i < std::size(call.args); ++i) {
    if (!absl::SimpleHexAtoi(words[i + 1], &call.args[i])) {
      return absl::InternalError("/proc/<tid>/syscall: an argument is no number");
    }
  }
  return call;
}

absl::StatusOr<HeldExec> ReadHeldExec(pid_t tid, const HeldCalls* calls) {
  absl::StatusOr<HeldSyscall> call = ReadSyscallFile(tid);
  if (absl::IsUnavailable(call.status()) && calls != nullptr) {
    if (const absl::StatusOr<HeldCall> held = calls->Read(tid); held.ok()) {
      call = HeldSyscall{held->number, {held->args[0], held->args[1], held->args[2]}};
    }
  }
  if (!call.ok()) {
    return absl::Status(call.status().code(),
                        absl::StrCat("held exec of task ", tid, ": ", call.status().message()));
  }
  if (call->number == SYS_execve) return ReadExecArguments(tid, call->args[0], call->args[1]);
  if (call->number == SYS_execveat) return ReadExecArguments(tid, call->args[1], call->args[2]);
  return absl::FailedPreconditionError(absl::StrCat(
      "held exec of task ", tid, ": it is in system call ", call->number, ", not in execve"));
}

}  // namespace roster

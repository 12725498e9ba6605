#include "cli/identity.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "kernel/errors.h"
#include "kernel/fd.h"

namespace roster::cli {
namespace {

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

absl::Status Refuse(absl::string_view flag, std::string_view text, absl::string_view wanted) {
  return absl::InvalidArgumentError(absl::StrCat(flag, " \"", View(text), "\": is not ", wanted));
}

// Digits only: absl would also take spaces and signs.
bool ParseNumber(absl::string_view text, uint64_t* number) {
  if (text.empty() || text.find_first_not_of("0123456789") != absl::string_view::npos) return false;
  return absl::SimpleAtoi(text, number) && *number != 0;
}

}  // namespace

absl::StatusOr<int> ParsePid(std::string_view text) {
  uint64_t number = 0;
  if (!ParseNumber(View(text), &number) || number > 0x7fffffff)
    return Refuse("--pid", text, "a process id");
  return static_cast<int>(number);
}

absl::StatusOr<uint64_t> ParseNamespace(std::string_view kind, std::string_view text) {
  absl::string_view rest = View(text);
  if (absl::ConsumePrefix(&rest, absl::StrCat(View(kind), ":[")) &&
      !absl::ConsumeSuffix(&rest, "]"))
    rest = "";
  uint64_t number = 0;
  if (!ParseNumber(rest, &number)) {
    return Refuse(absl::StrCat("--", View(kind), "ns"), text,
                  absl::StrCat("a namespace's inode number; write 4026531841 or ", View(kind),
                               ":[4026531841]"));
  }
  return number;
}

absl::StatusOr<uint64_t> ParseCgroup(std::string_view text) {
  uint64_t number = 0;
  if (ParseNumber(View(text), &number)) return number;
  if (text.empty() || text[0] != '/') {
    return Refuse("--cgroup", text, "a cgroup id or the absolute path of a cgroup's directory");
  }
  const std::string path(text);
  const Fd directory(open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!directory.valid()) return ErrnoStatus("look up --cgroup", path, errno);
  // Any file system's directory has a file handle.
  struct statfs fs = {};
  struct stat status = {};
  if (fstatfs(directory.get(), &fs) != 0 || fstat(directory.get(), &status) != 0) {
    return ErrnoStatus("look up --cgroup", path, errno);
  }
  if ((fs.f_type != CGROUP2_SUPER_MAGIC && fs.f_type != CGROUP_SUPER_MAGIC) ||
      !S_ISDIR(status.st_mode)) {
    return Refuse("--cgroup", text, "the directory of a cgroup");
  }
  // The file handle of a cgroup's directory is its id.
  union {
    file_handle handle;
    char bytes[sizeof(file_handle) + MAX_HANDLE_SZ];
  } buffer = {};
  buffer.handle.handle_bytes = 8;
  int mount_id = 0;
  if (name_to_handle_at(directory.get(), "", &buffer.handle, &mount_id, AT_EMPTY_PATH) != 0) {
    return ErrnoStatus("look up --cgroup", path, errno);
  }
  memcpy(&number, buffer.handle.f_handle, sizeof(number));
  return number;
}

}  // namespace roster::cli

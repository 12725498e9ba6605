#include "engines/host_state.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engines/wait.h"
#include "kernel/errors.h"
#include "kernel/fd.h"

namespace roster::testing {
namespace {

namespace fs = std::filesystem;

// mountinfo writes blanks, tabs, newlines and backslashes as \ooo.
std::string Unescape(const std::string& text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      result += static_cast<char>(std::stoi(text.substr(i + 1, 3), nullptr, 8));
      i += 3;
    } else {
      result += text[i];
    }
  }
  return result;
}

bool IsAtOrBelow(const std::string& path, const std::string& directory) {
  return path == directory || absl::StartsWith(path, directory + "/");
}

std::vector<pid_t> ProcessesInCgroup(const std::string& directory) {
  std::vector<pid_t> pids;
  std::error_code ignored;
  auto add = [&](const std::string& path) {
    std::ifstream file(path + "/cgroup.procs");
    for (pid_t pid; file >> pid;) {
      if (pid > 0) pids.push_back(pid);
    }
  };
  add(directory);
  for (fs::recursive_directory_iterator it(directory, ignored), end; it != end;
       it.increment(ignored)) {
    if (it->is_directory(ignored)) add(it->path());
  }
  return pids;
}

// Leaves first. True when nothing is left.
bool RemoveCgroupDirectories(const std::string& directory) {
  std::error_code ignored;
  std::vector<std::string> found{directory};
  for (fs::recursive_directory_iterator it(directory, ignored), end; it != end;
       it.increment(ignored)) {
    if (it->is_directory(ignored)) found.push_back(it->path());
  }
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.size() > b.size(); });
  bool gone = true;
  for (const std::string& path : found) gone &= ::rmdir(path.c_str()) == 0 || errno == ENOENT;
  return gone;
}

bool IsMounted(const std::vector<Mount>& mounts, const std::string& type,
               const std::string& option) {
  return std::any_of(mounts.begin(), mounts.end(), [&](const Mount& mount) {
    std::vector<std::string> options = absl::StrSplit(mount.options, ',');
    return mount.type == type &&
           (option.empty() || std::find(options.begin(), options.end(), option) != options.end());
  });
}

absl::Status MountAt(const std::string& type, const std::string& path, const std::string& options) {
  std::error_code ignored;
  fs::create_directories(path, ignored);
  if (::mount(type.c_str(), path.c_str(), type.c_str(), MS_NOSUID | MS_NODEV | MS_NOEXEC,
              options.empty() ? nullptr : options.c_str()) != 0) {
    return ErrnoStatus(absl::StrCat("mount ", type, " at"), path, errno);
  }
  return absl::OkStatus();
}

}  // namespace

// Unlike an iterator over its buffer, the stream's insertion does not throw when a read fails,
// which is what /proc answers for a process that has just ended.
std::string ReadKernelFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<Mount> ListMounts() {
  std::vector<Mount> mounts;
  std::ifstream file("/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    std::vector<std::string> words = absl::StrSplit(line, ' ');
    auto dash = std::find(words.begin(), words.end(), "-");
    if (words.size() < 5 || words.end() - dash < 4) continue;
    mounts.push_back({Unescape(words[4]), *(dash + 1), *(dash + 3)});
  }
  return mounts;
}

absl::Status UnmountBelow(const std::string& directory) {
  while (true) {
    std::vector<Mount> mounts = ListMounts();
    auto found = std::find_if(mounts.rbegin(), mounts.rend(), [&](const Mount& mount) {
      return IsAtOrBelow(mount.mount_point, directory);
    });
    if (found == mounts.rend()) return absl::OkStatus();
    if (::umount2(found->mount_point.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0) {
      return ErrnoStatus("umount", found->mount_point, errno);
    }
  }
}

std::vector<std::string> CgroupDirectories(const std::string& name) {
  std::vector<std::string> found;
  std::error_code ignored;
  for (const Mount& mount : ListMounts()) {
    if (mount.type != "cgroup" && mount.type != "cgroup2") continue;
    std::string path = absl::StrCat(mount.mount_point, "/", name);
    if (fs::is_directory(path, ignored)) found.push_back(path);
  }
  return found;
}

absl::Status RemoveCgroup(const std::string& directory) {
  // The kernel says EBUSY for a moment after the last process has gone, and v1 tells nobody when
  // that moment ends.
  Ticker ticker(absl::Milliseconds(5));
  absl::Status killed = absl::OkStatus();
  absl::Status removed =
      WaitUntil("removal of cgroup " + directory, {ticker.fd()}, In(absl::Seconds(10)), [&] {
        ticker.Take();
        killed = KillProcesses(ProcessesInCgroup(directory));
        return !killed.ok() || RemoveCgroupDirectories(directory);
      });
  return killed.ok() ? removed : killed;
}

std::vector<pid_t> ProcessesWithEnvironment(const std::string& entry) {
  std::vector<pid_t> pids;
  std::error_code ignored;
  const std::string marked = std::string(1, '\0') + entry + std::string(1, '\0');
  for (const auto& directory : fs::directory_iterator("/proc", ignored)) {
    pid_t pid = 0;
    std::string number = directory.path().filename();
    if (!absl::SimpleAtoi(number, &pid) || pid == ::getpid()) continue;
    std::string environment = std::string(1, '\0') + ReadKernelFile(directory.path() / "environ");
    if (environment.find(marked) != std::string::npos) pids.push_back(pid);
  }
  return pids;
}

absl::Status KillProcesses(const std::vector<pid_t>& pids) {
  std::vector<Fd> pidfds;
  for (pid_t pid : pids) {
    Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!pidfd.valid()) continue;
    if (::syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0) == 0) {
      pidfds.push_back(std::move(pidfd));
    } else if (errno != ESRCH) {
      return ErrnoStatus("kill", std::to_string(pid), errno);
    }
  }
  const absl::Time deadline = In(absl::Seconds(10));
  for (const Fd& pidfd : pidfds) {
    absl::Status waited = WaitAny("end of a killed process", {pidfd.get()}, deadline).status();
    if (!waited.ok()) return waited;
  }
  return absl::OkStatus();
}

absl::Status PrepareHost(std::vector<std::string>* made) {
  std::vector<Mount> mounts = ListMounts();
  // Others may pin maps in bpffs, or trace, while we run: these two stay mounted.
  if (!IsMounted(mounts, "bpf", "")) ROSTER_RETURN_IF_ERROR(MountAt("bpf", "/sys/fs/bpf", ""));
  if (!IsMounted(mounts, "tracefs", ""))
    ROSTER_RETURN_IF_ERROR(MountAt("tracefs", "/sys/kernel/tracing", ""));
  const bool v1 = IsMounted(mounts, "cgroup", "memory") || IsMounted(mounts, "cgroup", "pids");
  const bool known = absl::StrContains(ReadKernelFile("/proc/cgroups"), "hugetlb\t");
  if (v1 && known && !IsMounted(mounts, "cgroup", "hugetlb")) {
    ROSTER_RETURN_IF_ERROR(MountAt("cgroup", "/sys/fs/cgroup/hugetlb", "hugetlb"));
    made->push_back("/sys/fs/cgroup/hugetlb");
  }
  return absl::OkStatus();
}

}  // namespace roster::testing

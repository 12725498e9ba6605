#include "engines/workspace.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "engines/host_state.h"
#include "engines/wait.h"
#include "kernel/errors.h"

namespace roster::testing {
namespace {

namespace fs = std::filesystem;

constexpr char kMark[] = "ROSTER_ENGINES_DIRECTORY=";
constexpr char kHostMounts[] = "host-mounts";
constexpr char kBpffs[] = "/sys/fs/bpf/";

// Derived from the path, so that another program finds the cgroups of a workspace whose maker is
// dead.
std::string UniqueName(const std::string& directory) {
  uint64_t hash = 14695981039346656037ULL;  // FNV-1a
  for (unsigned char c : directory) hash = (hash ^ c) * 1099511628211ULL;
  return absl::StrFormat("roster-test-%08x", static_cast<uint32_t>(hash ^ (hash >> 32)));
}

// containerd's shims listen in /run/containerd/s, whatever containerd's own directories are, and
// leave their socket there when they are killed. Each task's bundle says which is its own.
void RemoveShimSockets(const std::string& directory) {
  std::error_code ignored;
  for (fs::recursive_directory_iterator
           it(directory, fs::directory_options::skip_permission_denied, ignored),
       end;
       it != end; it.increment(ignored)) {
    const std::string name = it->path().filename();
    if (name == "rootfs" || name == "image" || name == "overlay2" || name == "overlay") {
      it.disable_recursion_pending();
    }
    if (name != "address" || !it->is_regular_file(ignored)) continue;
    std::ifstream file(it->path());
    std::string address;
    std::getline(file, address);
    if (absl::StartsWith(address, "unix:///run/containerd/s/")) ::unlink(address.c_str() + 7);
  }
}

absl::Status RemoveDirectory(const std::string& directory) {
  for (const Mount& mount : ListMounts()) {
    if (absl::StartsWith(mount.mount_point, directory + "/") || mount.mount_point == directory) {
      return absl::InternalError(
          absl::StrCat("remove ", directory, ": ", mount.mount_point, " is mounted"));
    }
  }
  std::error_code error;
  fs::remove_all(directory, error);
  if (error) return ErrnoStatus("remove", directory, error.value());
  return absl::OkStatus();
}

}  // namespace

std::vector<std::string> FindLeftovers(const std::string& directory) {
  std::vector<std::string> found;
  for (pid_t pid : ProcessesWithEnvironment(kMark + directory)) {
    std::ifstream comm(absl::StrCat("/proc/", pid, "/comm"));
    std::string name;
    std::getline(comm, name);
    found.push_back(absl::StrCat("process ", pid, " (", name, ")"));
  }
  for (const std::string& cgroup : CgroupDirectories(UniqueName(directory)))
    found.push_back("cgroup " + cgroup);
  for (const Mount& mount : ListMounts()) {
    if (absl::StartsWith(mount.mount_point, directory + "/"))
      found.push_back("mount " + mount.mount_point);
  }
  if (fs::exists(kBpffs + UniqueName(directory)))
    found.push_back(absl::StrCat("pins ", kBpffs, UniqueName(directory)));
  if (fs::exists(directory)) found.push_back("directory " + directory);
  return found;
}

absl::Status Sweep(const std::string& directory) {
  // A daemon that is killed may have started another process just before; until there is none.
  while (true) {
    std::vector<pid_t> pids = ProcessesWithEnvironment(kMark + directory);
    if (pids.empty()) break;
    ROSTER_RETURN_IF_ERROR(KillProcesses(pids));
  }
  absl::Status first = absl::OkStatus();
  for (const std::string& cgroup : CgroupDirectories(UniqueName(directory)))
    first.Update(RemoveCgroup(cgroup));
  std::ifstream host_mounts(directory + "/" + kHostMounts);
  for (std::string path; std::getline(host_mounts, path);) {
    // Busy: another workspace uses it; it stays.
    ::umount2(path.c_str(), UMOUNT_NOFOLLOW);
  }
  // Pins that a test of Roster made, programs included: they would go on working for nobody.
  std::error_code ignored;
  fs::remove_all(kBpffs + UniqueName(directory), ignored);
  for (const char* states : {"/run/runc", "/run/crun"}) {
    for (const auto& entry : fs::directory_iterator(states, ignored)) {
      if (absl::StartsWith(entry.path().filename().string(), UniqueName(directory)))
        fs::remove_all(entry, ignored);
    }
  }
  RemoveShimSockets(directory);
  first.Update(UnmountBelow(directory));
  first.Update(RemoveDirectory(directory));
  return first;
}

Workspace::Workspace(std::string directory)
    : directory_(std::move(directory)), unique_name_(UniqueName(directory_)) {}

absl::StatusOr<std::unique_ptr<Workspace>> Workspace::Open(const std::string& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) return ErrnoStatus("create", directory, error.value());
  // Resolved, because every reader must derive the same names, and runc refuses a root behind a
  // symlink.
  std::string resolved = fs::canonical(directory, error);
  if (error) return ErrnoStatus("resolve", directory, error.value());
  std::unique_ptr<Workspace> workspace(new Workspace(resolved));
  std::vector<std::string> made;
  absl::Status prepared = PrepareHost(&made);
  std::ofstream host_mounts(workspace->Path(kHostMounts), std::ios::app);
  for (const std::string& path : made) host_mounts << path << "\n";
  if (!prepared.ok()) return prepared;
  return workspace;
}

absl::StatusOr<std::unique_ptr<Workspace>> Workspace::Create() {
  const char* parent = std::getenv("TMPDIR");
  std::string pattern =
      absl::StrCat(parent != nullptr && *parent != '\0' ? parent : "/tmp", "/roster-test-XXXXXX");
  if (::mkdtemp(pattern.data()) == nullptr) return ErrnoStatus("mkdtemp", pattern, errno);
  ROSTER_ASSIGN_OR_RETURN(std::unique_ptr<Workspace> workspace, Open(pattern));
  ROSTER_RETURN_IF_ERROR(workspace->StartGuard());
  return workspace;
}

absl::Status Workspace::StartGuard() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return ErrnoStatus("pipe for", "the guard", errno);
  Fd read_end(ends[0]);
  guard_pipe_.Reset(ends[1]);
  CommandOptions options;
  options.stdin_fd = read_end.get();
  options.new_session = true;  // an interrupt from the terminal must not reach it
  ROSTER_ASSIGN_OR_RETURN(guard_,
                          Process::Spawn({ROSTER_ENGINES_PROGRAM, "guard", directory_}, options));
  return absl::OkStatus();
}

Workspace::~Workspace() {
  if (!guard_pipe_.valid()) return;
  guard_pipe_.Reset();
  absl::StatusOr<int> swept = guard_.Wait(In(absl::Seconds(60)));
  if (!swept.ok() || *swept != 0) {
    absl::FPrintF(stderr, "%s could not be removed: %s\n", directory_,
                  absl::StrJoin(FindLeftovers(directory_), ", "));
  }
}

std::string Workspace::MakeDirectory(const std::string& name) const {
  std::error_code ignored;
  fs::create_directories(Path(name), ignored);
  return Path(name);
}

std::vector<std::string> Workspace::environment() const {
  return {kMark + directory_, absl::StrCat("TMPDIR=", MakeDirectory("tmp"))};
}

}  // namespace roster::testing

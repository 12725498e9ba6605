#include "hook/runtime_marks.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "kernel/errors.h"

namespace roster {
namespace {

// A symlink chain longer than this ends in ELOOP in the kernel, too.
constexpr int kMaxLinks = 40;
constexpr uint32_t kWatchMask = IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE |
                                IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR |
                                IN_EXCL_UNLINK;

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

std::string BaseOf(const std::string& path) { return path.substr(path.rfind('/') + 1); }

bool IsDirectory(const std::string& path) {
  struct stat st;
  return stat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode);
}

}  // namespace

const std::vector<std::string>& KnownRuntimePaths() {
  static const std::vector<std::string>* const paths = new std::vector<std::string>{
      "/bin/runc",
      "/usr/bin/runc",
      "/usr/sbin/runc",
      "/usr/local/bin/runc",
      "/usr/local/sbin/runc",
      "/usr/lib/cri-o-runc/sbin/runc",
      "/var/lib/rancher/k3s/data/current/bin/runc",
      "/var/lib/rancher/rke2/bin/runc",
      "/usr/libexec/crio/runc",
      "/var/lib/k0s/bin/runc",
      "/aarch64-bottlerocket-linux-gnu/sys-root/usr/bin/runc",
      "/x86_64-bottlerocket-linux-gnu/sys-root/usr/bin/runc",
      "/snap/microk8s/current/bin/runc",
      "/usr/bin/crun",
      "/usr/local/bin/crun",
      "/usr/libexec/crio/crun",
      "/usr/bin/youki",
      "/usr/local/bin/youki",
      "/usr/bin/runsc",
      "/usr/local/bin/runsc",
      "/usr/bin/conmon",
      "/usr/local/bin/conmon",
      "/usr/libexec/crio/conmon",
      "/usr/libexec/podman/conmon",
  };
  return *paths;
}

RuntimeMarks::RuntimeMarks(FanotifyGroup* group, std::vector<std::string> paths, OnChange on_change)
    : group_(group), paths_(std::move(paths)), on_change_(std::move(on_change)) {}

absl::StatusOr<std::unique_ptr<RuntimeMarks>> RuntimeMarks::Create(FanotifyGroup* group,
                                                                   std::vector<std::string> paths,
                                                                   OnChange on_change) {
  for (const std::string& path : paths) {
    if (path.empty() || path[0] != '/') {
      return absl::InvalidArgumentError(
          absl::StrCat("mark runtime ", path, ": not an absolute path"));
    }
  }
  std::unique_ptr<RuntimeMarks> marks(
      new RuntimeMarks(group, std::move(paths), std::move(on_change)));
  marks->inotify_.Reset(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!marks->inotify_.valid())
    return ErrnoStatus("create", "inotify instance for the runtimes", errno);
  marks->Rescan();
  return marks;
}

absl::Status RuntimeMarks::Learn(FileId file, const std::string& path) {
  for (const MarkedExecutable& marked : marked_) {
    if (marked.file == file) return absl::OkStatus();
  }
  if (path.empty() || path[0] != '/') {
    return absl::InvalidArgumentError(
        absl::StrCat("learn runtime ", path, ": not an absolute path"));
  }
  struct stat st;
  if (stat(path.c_str(), &st) != 0) return ErrnoStatus("learn runtime", path, errno);
  if (!(FileId{st.st_dev, st.st_ino} == file) || !S_ISREG(st.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat("learn runtime ", path, ": it is another file now"));
  }
  if (st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return absl::PermissionDeniedError(absl::StrCat("learn runtime ", path, ": owned by uid ",
                                                    st.st_uid, " or writable by others"));
  }
  // A path known already whose new file has not been reported yet needs no second entry.
  if (std::find(paths_.begin(), paths_.end(), path) == paths_.end()) {
    if (learned_ >= kMaxLearned) {
      return absl::ResourceExhaustedError(
          absl::StrCat("learn runtime ", path, ": ", kMaxLearned, " runtimes are learned already"));
    }
    ++learned_;
    paths_.push_back(path);
  }
  Rescan();
  for (const MarkedExecutable& marked : marked_) {
    if (marked.file == file) return absl::OkStatus();
  }
  return status_.ok()
             ? absl::UnavailableError(absl::StrCat("learn runtime ", path, ": replaced meanwhile"))
             : status_;
}

// Watches come before marks: a file replaced in between is reported and marked by the next Rescan.
// Marking what is marked is harmless, and necessary where a new file has its predecessor's inode
// number.
void RuntimeMarks::Rescan() {
  previous_ = std::exchange(watches_, {});
  for (const std::string& path : paths_) WatchPath(path);
  DropUnusedWatches();

  std::vector<MarkedExecutable> marked;
  std::vector<std::string> failures;
  for (const std::string& path : paths_) {
    const absl::Status status = MarkPath(path, &marked);
    if (!status.ok()) failures.emplace_back(status.message());
  }
  const bool changed = !std::equal(
      marked.begin(), marked.end(), marked_.begin(), marked_.end(),
      [](const auto& a, const auto& b) { return a.file == b.file && a.path == b.path; });
  marked_ = std::move(marked);
  status_ =
      failures.empty() ? absl::OkStatus() : absl::UnavailableError(absl::StrJoin(failures, "; "));
  if (changed && on_change_) on_change_(marked_);
}

absl::Status RuntimeMarks::MarkPath(const std::string& path,
                                    std::vector<MarkedExecutable>* marked) {
  const absl::StatusOr<FileId> file = group_->MarkExecutable(path);
  if (!file.ok()) {
    // Not installed, or not (yet) a file: no news.
    const bool absent =
        absl::IsNotFound(file.status()) || absl::IsFailedPrecondition(file.status());
    return absent ? absl::OkStatus() : file.status();
  }
  for (const MarkedExecutable& other : *marked) {
    if (other.file == *file) return absl::OkStatus();
  }
  marked->push_back({path, BaseOf(path), *file});
  return absl::OkStatus();
}

// Watches the name in its directory and, where it is a symlink, the names it leads through. Where
// the directory does not exist, the nearest parent that does is watched for the next part of the
// path. A symlink among the parents ("current" of k3s) is not followed step by step: its own
// directory is watched for its name as well, for that is how such links are switched.
void RuntimeMarks::WatchPath(const std::string& path) {
  std::string current = path;
  for (int i = 0; i < kMaxLinks; ++i) {
    std::string directory = DirectoryOf(current);
    std::string name = BaseOf(current);
    while (directory != "/" && !IsDirectory(directory)) {
      name = BaseOf(directory);
      directory = DirectoryOf(directory);
    }
    WatchName(directory, name);
    for (std::string parent = DirectoryOf(current); parent != "/"; parent = DirectoryOf(parent)) {
      struct stat st;
      if (lstat(parent.c_str(), &st) == 0 && S_ISLNK(st.st_mode)) {
        WatchName(DirectoryOf(parent), BaseOf(parent));
      }
    }
    std::array<char, PATH_MAX> target;
    const ssize_t size = readlink(current.c_str(), target.data(), target.size());
    if (size <= 0) return;
    const std::string link(target.data(), static_cast<size_t>(size));
    current = link[0] == '/' ? link : absl::StrCat(DirectoryOf(current), "/", link);
  }
}

void RuntimeMarks::WatchName(const std::string& directory, const std::string& name) {
  // The kernel gives the same descriptor for the same directory, by whatever path.
  const int wd = inotify_add_watch(inotify_.get(), directory.c_str(), kWatchMask);
  if (wd < 0) return;  // gone again, or no watches left: then replacements there go unnoticed
  Watched& watched = watches_[wd];
  watched.directory = directory;
  watched.names.insert(name);
}

void RuntimeMarks::DropUnusedWatches() {
  for (const auto& [wd, watched] : previous_) {
    if (!watches_.contains(wd)) inotify_rm_watch(inotify_.get(), wd);
  }
  previous_.clear();
}

absl::Status RuntimeMarks::Dispatch() {
  bool relevant = false;
  alignas(inotify_event) std::array<char, 16 * 1024> buffer;
  ssize_t size;
  while ((size = read(inotify_.get(), buffer.data(), buffer.size())) > 0) {
    for (const char* at = buffer.data(); at < buffer.data() + size;) {
      inotify_event event;
      std::memcpy(&event, at, sizeof(event));
      const std::string_view name(at + sizeof(event), strnlen(at + sizeof(event), event.len));
      at += sizeof(event) + event.len;
      const auto watched = watches_.find(event.wd);
      relevant |= (event.mask & IN_Q_OVERFLOW) != 0;
      if (watched == watches_.end()) continue;
      relevant |= (event.mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)) != 0 ||
                  watched->second.names.contains(absl::string_view(name.data(), name.size()));
    }
  }
  if (relevant) Rescan();
  return status_;
}

}  // namespace roster

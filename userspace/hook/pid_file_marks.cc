#include "hook/pid_file_marks.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "hook/file_id.h"
#include "kernel/errors.h"
#include "kernel/fd.h"
#include "kernel/fd_path.h"

namespace roster {
namespace {

// A bundle's (OCI runtime specification, bundle.md).
constexpr char kConfig[] = "config.json";

}  // namespace

struct PidFileMarks::State {
  struct Directory {
    Fd fd;
    std::string name;
    size_t tokens = 0;
  };
  struct Pending {
    FileId directory;
    std::string basename;
    uint64_t cookie = 0;
  };

  FanotifyGroup* group = nullptr;
  uint64_t next_id = 1;
  absl::flat_hash_map<FileId, Directory> directories;
  absl::flat_hash_map<uint64_t, Pending> pending;
  absl::flat_hash_map<std::string, absl::flat_hash_set<uint64_t>> by_basename;

  void Unmark(const Directory& directory);
  void Remove(uint64_t id);
};

// It can only fail where the mark is gone already.
void PidFileMarks::State::Unmark(const Directory& directory) {
  (void)group->RemoveDirectoryAccess(directory.fd.get(), kConfig, directory.name);
}

void PidFileMarks::State::Remove(uint64_t id) {
  const auto it = pending.find(id);
  if (it == pending.end()) return;
  const auto names = by_basename.find(it->second.basename);
  names->second.erase(id);
  if (names->second.empty()) by_basename.erase(names);
  const auto directory = directories.find(it->second.directory);
  if (--directory->second.tokens == 0) {
    Unmark(directory->second);
    directories.erase(directory);
  }
  pending.erase(it);
}

PidFileMarks::Token::Token(Token&& other) noexcept
    : state_(std::move(other.state_)), id_(std::exchange(other.id_, 0)) {}

PidFileMarks::Token& PidFileMarks::Token::operator=(Token&& other) noexcept {
  if (this != &other) {
    Reset();
    state_ = std::move(other.state_);
    id_ = std::exchange(other.id_, 0);
  }
  return *this;
}

void PidFileMarks::Token::Reset() {
  const uint64_t id = std::exchange(id_, 0);
  if (id == 0) return;
  if (const std::shared_ptr<State> state = state_.lock()) state->Remove(id);
  state_.reset();
}

PidFileMarks::PidFileMarks(FanotifyGroup* group) : state_(std::make_shared<State>()) {
  state_->group = group;
}

PidFileMarks::~PidFileMarks() {
  for (const auto& [id, directory] : state_->directories) state_->Unmark(directory);
}

absl::StatusOr<PidFileMarks::Token> PidFileMarks::Add(int dirfd, const std::string& directory,
                                                      const std::string& basename,
                                                      uint64_t cookie) {
  State& state = *state_;
  if (basename.empty() || basename == "." || basename == ".." || basename.size() > NAME_MAX ||
      basename.find('/') != std::string::npos || basename.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("wait for pid file in ", directory, ": no file name"));
  }
  if (state.pending.size() >= kMaxPending) {
    return absl::ResourceExhaustedError(absl::StrCat("wait for pid file ", directory, "/", basename,
                                                     ": ", kMaxPending, " are waited for already"));
  }
  // Not O_PATH: fanotify_mark takes no such fd.
  Fd fd(openat(dirfd, directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return ErrnoStatus("open pid file's directory", directory, errno);
  struct stat st;
  if (fstat(fd.get(), &st) != 0) return ErrnoStatus("open pid file's directory", directory, errno);
  const FileId id{st.st_dev, st.st_ino};
  auto it = state.directories.find(id);
  if (it == state.directories.end()) {
    ROSTER_RETURN_IF_ERROR(state.group->AddDirectoryAccess(fd.get(), kConfig, directory));
    it = state.directories.emplace(id, State::Directory{std::move(fd), directory, 0}).first;
  }
  ++it->second.tokens;
  const uint64_t token = state.next_id++;
  state.pending.emplace(token, State::Pending{id, basename, cookie});
  state.by_basename[basename].insert(token);
  return Token(state_, token);
}

std::vector<uint64_t> PidFileMarks::Match(int event_fd) const {
  std::vector<uint64_t> cookies;
  // Only the last part is used: the rest is a path in whatever mount namespace the reader lives in.
  const std::string path = PathOfFd(event_fd);
  const std::string basename = path.substr(path.rfind('/') + 1);
  const auto names = state_->by_basename.find(basename);
  if (names == state_->by_basename.end()) return cookies;
  struct stat file;
  if (fstat(event_fd, &file) != 0 || !S_ISREG(file.st_mode)) return cookies;
  for (const uint64_t id : names->second) {
    const State::Pending& pending = state_->pending.at(id);
    const State::Directory& directory = state_->directories.at(pending.directory);
    struct stat entry;
    if (fstatat(directory.fd.get(), basename.c_str(), &entry, AT_SYMLINK_NOFOLLOW) == 0 &&
        entry.st_dev == file.st_dev && entry.st_ino == file.st_ino) {
      cookies.push_back(pending.cookie);
    }
  }
  return cookies;
}

size_t PidFileMarks::directories() const { return state_->directories.size(); }

}  // namespace roster

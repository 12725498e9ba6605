#include "tracker/known_roots.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/str_split.h"
#include "kernel/fd.h"
#include "runtime/identify.h"

namespace roster {
namespace {

constexpr size_t kMaxPath = 4096;

bool IsUsable(std::string_view root) {
  return root.size() > 1 && root.size() < kMaxPath && root[0] == '/' &&
         root.find_first_of(std::string_view("\n\0", 2)) == std::string_view::npos;
}

std::string ReadOwn(const std::string& file) {
  const Fd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat st;
  if (!fd.valid() || fstat(fd.get(), &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
      st.st_size > static_cast<off_t>(KnownRoots::kMost * kMaxPath)) {
    return "";
  }
  std::string text(static_cast<size_t>(st.st_size), '\0');
  const ssize_t n = read(fd.get(), text.data(), text.size());
  text.resize(n > 0 ? static_cast<size_t>(n) : 0);
  return text;
}

}  // namespace

KnownRoots::KnownRoots(std::string file) : file_(std::move(file)) {
  if (file_.empty()) return;
  for (absl::string_view line : absl::StrSplit(ReadOwn(file_), '\n', absl::SkipEmpty())) {
    const std::string root(line);
    if (IsUsable(root) && roots_.size() < kMost) roots_.push_back(root);
  }
}

bool KnownRoots::Note(std::string_view root) {
  while (root.size() > 1 && root.back() == '/') root.remove_suffix(1);
  if (!IsUsable(root) || std::find(roots_.begin(), roots_.end(), root) != roots_.end()) {
    return false;
  }
  if (roots_.size() == kMost) roots_.erase(roots_.begin());
  roots_.emplace_back(root);
  Save();
  return true;
}

void KnownRoots::Save() const {
  if (file_.empty()) return;
  const std::string fresh = file_ + ".new";
  const Fd fd(open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  std::string text;
  for (const std::string& root : roots_) text += root + "\n";
  // Without the file only a restart forgets them.
  if (fd.valid() &&
      write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size())) {
    rename(fresh.c_str(), file_.c_str());
  }
}

std::vector<std::string> KnownRoots::All() const {
  std::vector<std::string> all = DefaultStateRoots();
  for (const std::string& root : roots_) {
    if (std::find(all.begin(), all.end(), root) == all.end()) all.push_back(root);
  }
  return all;
}

}  // namespace roster

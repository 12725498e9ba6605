#include "kernel/fd_path.h"

#include <unistd.h>

#include <climits>

#include "absl/strings/str_cat.h"

namespace roster {

std::string PathOfFd(int fd) {
  std::string path(PATH_MAX, '\0');
  const ssize_t size =
      readlink(absl::StrCat("/proc/self/fd/", fd).c_str(), path.data(), path.size());
  path.resize(size > 0 ? static_cast<size_t>(size) : 0);
  return path;
}

}  // namespace roster

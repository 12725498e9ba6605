#include "runtime/bundle.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "kernel/errors.h"
#include "kernel/fd_path.h"
#include "runtime/bounded_file.h"
#include "text/quote.h"
#include "text/string_view.h"
#include "text/utf8.h"

namespace roster {
namespace {

// O_PATH descriptor of the directory `path`. With RESOLVE_IN_ROOT, `dir` is the root of absolute
// paths, of absolute symbolic links and of "..".
absl::StatusOr<Fd> OpenDirectory(int dir, const std::string& path, uint64_t resolve) {
  open_how how = {};
  how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  how.resolve = resolve | RESOLVE_NO_MAGICLINKS;
  // EAGAIN: a rename or mount elsewhere raced with the resolution of ".."; the kernel asks to try
  // again.
  for (int attempt = 0; attempt < 8; ++attempt) {
    Fd fd(static_cast<int>(syscall(SYS_openat2, dir, path.c_str(), &how, sizeof(how))));
    if (fd.valid()) return fd;
    if (errno != EAGAIN) break;
  }
  return ErrnoStatus("open bundle", QuoteForMessage(path, 256), errno);
}

bool SameFile(int a, int b) {
  struct stat first;
  struct stat second;
  return fstat(a, &first) == 0 && fstat(b, &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino;
}

absl::StatusOr<Fd> OpenCallersDirectory(const ProcTask& caller, std::string_view path) {
  if (path.find('\0') != std::string_view::npos || path.size() >= PATH_MAX) {
    return absl::InvalidArgumentError(
        absl::StrCat("open bundle ", QuoteForMessage(path, 256), ": not a path"));
  }
  if (path.empty()) return caller.OpenCwd();
  ROSTER_ASSIGN_OR_RETURN(const Fd root, caller.OpenRoot());
  if (path.front() == '/') return OpenDirectory(root.get(), std::string(path), RESOLVE_IN_ROOT);
  // A relative path may climb, and its symbolic links may be absolute: both must stay within the
  // caller's root. So it is made absolute there, if the working directory's name leads to the
  // working directory.
  ROSTER_ASSIGN_OR_RETURN(Fd cwd, caller.OpenCwd());
  const absl::StatusOr<std::string> cwd_path = caller.CwdPath();
  if (cwd_path.ok()) {
    const absl::StatusOr<Fd> named = OpenDirectory(root.get(), *cwd_path, RESOLVE_IN_ROOT);
    if (named.ok() && SameFile(named->get(), cwd.get())) {
      return OpenDirectory(root.get(), absl::StrCat(*cwd_path, "/", ToAbsl(path)), RESOLVE_IN_ROOT);
    }
  }
  // Deleted, or below another root (chroot within a mount namespace): what is below it can still be
  // reached.
  return OpenDirectory(cwd.get(), std::string(path), RESOLVE_BENEATH);
}

absl::StatusOr<std::string> ReadConfig(int dir, const std::string& bundle,
                                       std::string_view config) {
  if (!config.empty()) {
    const std::string name(config);
    const std::string object = config.front() == '/' ? name : absl::StrCat(bundle, "/", name);
    return ReadBoundedFile(dir, name.c_str(), object, {.max_bytes = kMaxConfigBytes});
  }
  const std::string object = absl::StrCat(bundle, "/config.json");
  absl::StatusOr<std::string> text =
      ReadBoundedFile(dir, "config.json", object, {.max_bytes = kMaxConfigBytes});
  if (!absl::IsNotFound(text.status())) return text;
  absl::StatusOr<Fd> userdata =
      Fd(openat(dir, "userdata", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!userdata->valid()) return text;
  absl::StatusOr<std::string> second =
      ReadBoundedFile(userdata->get(), "config.json", absl::StrCat(bundle, "/userdata/config.json"),
                      {.max_bytes = kMaxConfigBytes});
  return absl::IsNotFound(second.status()) ? text : second;
}

absl::StatusOr<Bundle> ReadOpenBundle(const Fd& dir, std::string_view config) {
  Bundle bundle;
  bundle.path = PathOfFd(dir.get());
  ROSTER_ASSIGN_OR_RETURN(bundle.config_text, ReadConfig(dir.get(), bundle.path, config));
  if (!IsValidUtf8(bundle.config_text)) bundle.config_text = ToValidUtf8(bundle.config_text);
  absl::StatusOr<OciSpec> spec = ParseOciSpec(bundle.config_text);
  if (!spec.ok()) {
    return absl::Status(spec.status().code(),
                        absl::StrCat("config.json of ", QuoteForMessage(bundle.path, 256), ": ",
                                     spec.status().message()));
  }
  bundle.spec = *std::move(spec);
  return bundle;
}

}  // namespace

absl::StatusOr<Bundle> ReadBundle(const ProcTask& caller, std::string_view bundle,
                                  std::string_view config) {
  ROSTER_ASSIGN_OR_RETURN(const Fd dir, OpenCallersDirectory(caller, bundle));
  return ReadOpenBundle(dir, config);
}

absl::StatusOr<Bundle> ReadBundleAt(const std::string& path) {
  ROSTER_ASSIGN_OR_RETURN(const Fd dir, OpenDirectory(AT_FDCWD, path, 0));
  return ReadOpenBundle(dir, "");
}

}  // namespace roster

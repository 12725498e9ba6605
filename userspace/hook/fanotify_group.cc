#include "hook/fanotify_group.h"

#include <fcntl.h>
#include <sys/fanotify.h>
#include <sys/stat.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "kernel/errors.h"

namespace roster {
namespace {

// What is ignored of a file is not held for its directory's sake either.
constexpr unsigned kExempt = FAN_MARK_IGNORED_MASK | FAN_MARK_DONT_FOLLOW;

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

absl::Status WithAdvice(const absl::Status& status, std::string_view advice) {
  return absl::Status(status.code(), absl::StrCat(status.message(), " (", View(advice), ")"));
}

absl::Status InitError(int error) {
  absl::Status status = ErrnoStatus("create", "fanotify group", error);
  switch (error) {
    case EPERM:
      return WithAdvice(status, "needs CAP_SYS_ADMIN in the initial user namespace: run as root");
    case EMFILE:
      return WithAdvice(
          status, "too many fanotify groups or open files: raise fs.fanotify.max_user_groups");
    case EINVAL:
    case ENOSYS:
      return absl::UnimplementedError(
          absl::StrCat(status.message(),
                       " (needs a kernel with CONFIG_FANOTIFY_ACCESS_PERMISSIONS, 5.1 or newer)"));
    default:
      return status;
  }
}

absl::Status MarkError(std::string_view name, int error) {
  absl::Status status = ErrnoStatus("mark", name, error);
  switch (error) {
    case EINVAL:
      return WithAdvice(status, "needs CONFIG_FANOTIFY_ACCESS_PERMISSIONS");
    case EPERM:
      return WithAdvice(status, "needs CAP_SYS_ADMIN in the initial user namespace: run as root");
    case ENODEV:
    case EOPNOTSUPP:
      return WithAdvice(status, "its file system does not support fanotify");
    default:
      return status;
  }
}

}  // namespace

absl::StatusOr<FanotifyGroup> FanotifyGroup::Create() {
  Fd fd(fanotify_init(FAN_CLASS_CONTENT | FAN_REPORT_TID | FAN_UNLIMITED_QUEUE |
                          FAN_UNLIMITED_MARKS | FAN_CLOEXEC | FAN_NONBLOCK,
                      O_RDONLY | O_LARGEFILE | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return InitError(errno);
  return FanotifyGroup(std::move(fd));
}

absl::Status FanotifyGroup::Mark(unsigned flags, uint64_t mask, int dirfd, const char* path,
                                 std::string_view name) {
  if (fanotify_mark(fd_.get(), flags, mask, dirfd, path) != 0) return MarkError(name, errno);
  return absl::OkStatus();
}

absl::StatusOr<FileId> FanotifyGroup::MarkExecutable(const std::string& path) {
  // One open for both, so that the mark and the id are the same file's. O_NONBLOCK: it may be a
  // FIFO.
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.valid()) return ErrnoStatus("mark", path, errno);
  struct stat st;
  if (fstat(file.get(), &st) != 0) return ErrnoStatus("mark", path, errno);
  ROSTER_RETURN_IF_ERROR(MarkExecutable(file.get(), path));
  return FileId{st.st_dev, st.st_ino};
}

absl::Status FanotifyGroup::MarkExecutable(int fd, std::string_view name) {
  struct stat st;
  if (fstat(fd, &st) != 0) return ErrnoStatus("mark", name, errno);
  if (!S_ISREG(st.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat("mark ", View(name), ": not a regular file"));
  }
  return Mark(FAN_MARK_ADD, FAN_OPEN_EXEC_PERM, fd, nullptr, name);
}

absl::Status FanotifyGroup::AddDirectoryAccess(int dirfd, const char* exempt,
                                               std::string_view name) {
  // Before the mark, so that not even one read is held. Where it fails, as without such a file,
  // they are held like all others.
  (void)fanotify_mark(fd_.get(), FAN_MARK_ADD | kExempt, FAN_ACCESS_PERM, dirfd, exempt);
  absl::Status status = Mark(FAN_MARK_ADD | FAN_MARK_ONLYDIR, FAN_ACCESS_PERM | FAN_EVENT_ON_CHILD,
                             dirfd, nullptr, name);
  if (!status.ok())
    (void)fanotify_mark(fd_.get(), FAN_MARK_REMOVE | kExempt, FAN_ACCESS_PERM, dirfd, exempt);
  return status;
}

absl::Status FanotifyGroup::RemoveDirectoryAccess(int dirfd, const char* exempt,
                                                  std::string_view name) {
  const absl::Status status = Mark(FAN_MARK_REMOVE | FAN_MARK_ONLYDIR,
                                   FAN_ACCESS_PERM | FAN_EVENT_ON_CHILD, dirfd, nullptr, name);
  (void)fanotify_mark(fd_.get(), FAN_MARK_REMOVE | kExempt, FAN_ACCESS_PERM, dirfd, exempt);
  return absl::IsNotFound(status) ? absl::OkStatus() : status;
}

}  // namespace roster

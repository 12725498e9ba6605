// RuntimeMarks keeps the executables of container runtimes marked in a fanotify group.
//
// The well-known paths are marked where they exist; a path that appears later, or whose file a
// package upgrade replaces, is marked when its directory (or, where that does not exist yet, its
// nearest existing parent) reports it. Between the replacement and the new mark an exec is not
// held; the kernel hook sees it.
#ifndef ROSTER_USERSPACE_HOOK_RUNTIME_MARKS_H_
#define ROSTER_USERSPACE_HOOK_RUNTIME_MARKS_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hook/fanotify_group.h"
#include "hook/file_id.h"
#include "kernel/fd.h"

namespace roster {

// The paths at which runtimes and conmon are looked for when nothing else is configured.
const std::vector<std::string>& KnownRuntimePaths();

struct MarkedExecutable {
  std::string path;      // as configured or learned; of several paths to one file, the first
  std::string basename;  // of `path`: "runc", "conmon"
  FileId file;
};

// Thread-compatible.
class RuntimeMarks {
 public:
  // At most so many executables may be learned.
  static constexpr size_t kMaxLearned = 64;

  // Called from Create, Learn and Dispatch, after the set changed.
  using OnChange = std::function<void(const std::vector<MarkedExecutable>&)>;

  // Marks what exists of `paths`, which must be absolute. It is no error when nothing does. `group`
  // must outlive the result. Errors: INVALID_ARGUMENT, or what inotify_init answered; for marks
  // that failed see status().
  static absl::StatusOr<std::unique_ptr<RuntimeMarks>> Create(FanotifyGroup* group,
                                                              std::vector<std::string> paths,
                                                              OnChange on_change);

  // Marks an executable that was seen becoming a container's init. `path` must be absolute and lead
  // to `file` (else FAILED_PRECONDITION), belong to root and be writable by nobody else (else
  // PERMISSION_DENIED), so that no user makes Roster hold a file of theirs. OK when known already;
  // RESOURCE_EXHAUSTED past kMaxLearned.
  absl::Status Learn(FileId file, const std::string& path);

  // One entry for each marked file, in the order of the paths.
  const std::vector<MarkedExecutable>& marked() const { return marked_; }

  // OK when every path that exists is marked; else names those that could not be.
  const absl::Status& status() const { return status_; }

  // Readable when a watched directory changed; then call Dispatch, which returns status().
  int fd() const { return inotify_.get(); }
  absl::Status Dispatch();

 private:
  struct Watched {
    std::string directory;
    absl::flat_hash_set<std::string> names;  // entries that matter
  };

  RuntimeMarks(FanotifyGroup* group, std::vector<std::string> paths, OnChange on_change);
  void Rescan();
  absl::Status MarkPath(const std::string& path, std::vector<MarkedExecutable>* marked);
  void WatchPath(const std::string& path);
  void WatchName(const std::string& directory, const std::string& name);
  void DropUnusedWatches();

  FanotifyGroup* const group_;
  std::vector<std::string> paths_;
  OnChange on_change_;
  size_t learned_ = 0;
  std::vector<MarkedExecutable> marked_;
  absl::Status status_;
  Fd inotify_;
  absl::flat_hash_map<int, Watched> watches_;   // by watch descriptor
  absl::flat_hash_map<int, Watched> previous_;  // during Rescan
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_HOOK_RUNTIME_MARKS_H_

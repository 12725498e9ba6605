// Workspace is the one directory under which a test's container engines keep everything they have.
//
// Whatever is started with its environment() and its unique_name() as cgroup parent can be found
// again and removed: processes by the environment's mark, containers by their cgroup, mounts by
// their place. A guard process does so even where the test is killed.
#ifndef ROSTER_TESTS_ENGINES_WORKSPACE_H_
#define ROSTER_TESTS_ENGINES_WORKSPACE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engines/command.h"
#include "kernel/fd.h"

namespace roster::testing {

// What is still there of a workspace; each a readable line.
std::vector<std::string> FindLeftovers(const std::string& directory);

// Ends every process, unmounts every mount, removes every cgroup of the workspace in `directory`,
// and the directory itself. Idempotent; also right for a workspace of a program that is dead.
absl::Status Sweep(const std::string& directory);

class Workspace {
 public:
  // A new directory below $TMPDIR (or /tmp), swept at destruction, and by the guard where it does
  // not come to that.
  static absl::StatusOr<std::unique_ptr<Workspace>> Create();
  // `directory`, made if absent, left as it is at destruction: for a program that is started once
  // per step.
  static absl::StatusOr<std::unique_ptr<Workspace>> Open(const std::string& directory);
  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  const std::string& directory() const { return directory_; }
  // directory()/`name`, without making it.
  std::string Path(const std::string& name) const { return directory_ + "/" + name; }
  // directory()/`name`, made with its parents.
  std::string MakeDirectory(const std::string& name) const;

  // A word of [a-z0-9-] that no other workspace has: the cgroup below which its containers live.
  const std::string& unique_name() const { return unique_name_; }
  // What marks a process as this workspace's.
  std::vector<std::string> environment() const;

 private:
  explicit Workspace(std::string directory);
  absl::Status StartGuard();

  std::string directory_;
  std::string unique_name_;
  Process guard_;
  Fd guard_pipe_;  // its end tells the guard to sweep
};

}  // namespace roster::testing

#endif  // ROSTER_TESTS_ENGINES_WORKSPACE_H_

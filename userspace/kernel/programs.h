// Programs loads Roster's kernel programs, attaches them, and pins their links so that they outlive
// the daemon.
#ifndef ROSTER_USERSPACE_KERNEL_PROGRAMS_H_
#define ROSTER_USERSPACE_KERNEL_PROGRAMS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kernel/host.h"
#include "kernel/pins.h"

namespace roster {

class Programs {
 public:
  // Loads all programs against the maps pinned below `paths`, making those that do not exist.
  // Nothing is attached yet. FAILED_PRECONDITION with the reason when the kernel refuses (no BTF,
  // older than 6.1, not root); the end of libbpf's log is part of the message.
  static absl::StatusOr<std::unique_ptr<Programs>> Load(const PinPaths& paths);
  ~Programs();
  Programs(const Programs&) = delete;
  Programs& operator=(const Programs&) = delete;

  // Attaches every program and pins the links, each in the place of its predecessor's: the new one
  // watches before the old one stops. What both see, both handle idempotently.
  absl::Status Attach();

  // Runs the task iterator until it enters nobody more; returns how many tasks it entered into the
  // lineage of containers whose slots are filled. About 3 us a task of the system.
  absl::StatusOr<uint64_t> AdoptTasks();

 private:
  struct Skeletons;
  Programs(PinPaths paths, std::unique_ptr<Skeletons> skeletons);
  PinPaths paths_;
  std::unique_ptr<Skeletons> skeletons_;
};

// The names below PinPaths::links(), one for each attached program.
std::vector<std::string> LinkNames();

}  // namespace roster

#endif  // ROSTER_USERSPACE_KERNEL_PROGRAMS_H_

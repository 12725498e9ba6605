// Reader looks containers up in Roster's pinned maps, from any process and without the daemon.
//
//   absl::StatusOr<roster::Reader> reader = roster::Reader::Open();
//   if (!reader.ok()) return reader.status();
//   auto member = reader->FindByMntns(event.mntns);
//   if (member.ok() && member->has_value()) puts((*member)->record.name);
//
// Belongs to the library `roster-reader`, which needs nothing of the library `roster`.
#ifndef ROSTER_READER_H_
#define ROSTER_READER_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "roster_abi.h"

namespace roster {

// One container or pod as the pins hold it; a copy, which never changes under its holder.
struct Member {
  uint64_t handle = 0;
  roster_membership membership = {};
  roster_record record = {};  // record.handle is 0 where the pins hold no record of it
};

// Counters by enum roster_stat, each summed over the CPUs.
using Stats = std::array<uint64_t, ROSTER_STAT_MAX>;

// Every Find returns nullopt where nobody of that name is held. An identity whose slot has
// meanwhile been freed or given to somebody else is stale and reads as nullopt as well. Errors are
// those of the bpf() system call; they name the map.
//
// Cost: as long as roster_abi.changes stays the same, a look-up that was made before (absence
// included) makes no system call. The first one after a change makes one, or two where the
// container's record is not yet known. The membership is read from mapped memory every time, so its
// state is never older than the call.
//
// Not thread-safe: one Reader for each thread, or a lock around it. Movable; a moved-from Reader
// may only be destroyed or assigned to.
class Reader {
 public:
  // Opens the pins read-only. Errors: NOT_FOUND where the directory or a pin is missing,
  // PERMISSION_DENIED without CAP_BPF, FAILED_PRECONDITION where a pin is not a map, has another
  // shape than this ABI version says, was never initialised, is of another major version, or of
  // another boot. Each names the pin.
  static absl::StatusOr<Reader> Open(std::string_view pin_dir = ROSTER_PIN_DIR);

  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) noexcept;
  ~Reader();

  // By inode number of the mount namespace, as stat("/proc/PID/ns/mnt") gives it.
  absl::StatusOr<std::optional<Member>> FindByMntns(uint64_t inode);
  // By inode number of the network namespace. Where containers share one this is their pod.
  absl::StatusOr<std::optional<Member>> FindByNetns(uint64_t inode);
  // By cgroup id, the first 8 bytes of name_to_handle_at(2) of the cgroup's directory. Child
  // cgroups of a container lead to the container.
  absl::StatusOr<std::optional<Member>> FindByCgroup(uint64_t id);
  // By process id in the caller's pid namespace: by the task's own membership where the kernel
  // holds one, else by its mount namespace, compared by its never-reused id where the kernel tells
  // it (6.11). NOT_FOUND where there is no such process. Always makes system calls.
  absl::StatusOr<std::optional<Member>> FindByPid(int pid);
  // By handle.
  absl::StatusOr<std::optional<Member>> Find(uint64_t handle);

  // Everyone held, pods included, in the order of their slots; no cache is used for
  // the slots. A member that starts or ends meanwhile may be there or not.
  absl::StatusOr<std::vector<Member>> List();

  // roster_abi.changes: grows with every change. Makes no system call.
  uint64_t Changes() const;
  // A copy of roster_abi. Makes no system call.
  roster_abi Abi() const;
  // Whether the daemon that writes the pins lives: it has not stopped cleanly, its heartbeat is at
  // most three seconds old and, where the caller shares the host's pid namespace, its process
  // exists.
  bool IsDaemonAlive() const;
  absl::StatusOr<Stats> ReadStats();

  const std::string& pin_dir() const;
  // Number of bpf() system calls made by this Reader after Open, to prove the promise above.
  uint64_t bpf_calls() const;

 private:
  class Impl;
  explicit Reader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace roster

#endif  // ROSTER_READER_H_

// TracerSets owns the pinned set maps of tracers: tracers/<name>/mntnsset and cgroupset.
#ifndef ROSTER_USERSPACE_MIRROR_TRACER_SETS_H_
#define ROSTER_USERSPACE_MIRROR_TRACER_SETS_H_

#include <roster/tracer_collection.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kernel/fd.h"
#include "kernel/mutex.h"
#include "kernel/pins.h"

namespace roster {

// Entries in one set map, as many as an identity map has.
inline constexpr uint32_t kMaxTracerSet = ROSTER_MAX_IDENTITIES;

// Shapes that existing tools open: mntnsset is u64 -> u32 1 (gadget filter maps, bcc's --mntnsmap),
// cgroupset is u64 -> u64 1 (bcc's --cgroupmap). Thread-safe.
class TracerSets {
 public:
  explicit TracerSets(const PinPaths& paths) : directory_(paths.tracers()) {}

  // Makes and pins the map, in the place of one that an earlier daemon left. INVALID_ARGUMENT for a
  // name with a slash or dot that a BPF file system would refuse.
  absl::Status Create(std::string_view tracer, TracerSet set);
  absl::Status Remove(std::string_view tracer, TracerSet set);
  absl::Status Add(std::string_view tracer, TracerSet set, uint64_t key);
  // A descriptor of the map, the caller's.
  absl::StatusOr<Fd> Open(std::string_view tracer, TracerSet set);
  // OK when the key is not there.
  absl::Status Delete(std::string_view tracer, TracerSet set, uint64_t key);

 private:
  std::string Path(std::string_view tracer, TracerSet set) const;

  const std::string directory_;
  Mutex mutex_;
  absl::flat_hash_map<std::string, Fd> maps_ ABSL_GUARDED_BY(mutex_);  // by path
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_MIRROR_TRACER_SETS_H_

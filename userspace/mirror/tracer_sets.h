// TracerSets writes what tracers want into the pins: their bits in the memberships, and the set
// maps tracers/<name>/mntnsset and cgroupset, which it owns.
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
#include "mirror/abi_writer.h"
#include "mirror/slot_table.h"

namespace roster {

// Entries in one set map, as many as an identity map has.
inline constexpr uint32_t kMaxTracerSet = ROSTER_MAX_IDENTITIES;

// Shapes that existing tools open: mntnsset is u64 -> u32 1 (gadget filter maps, bcc's --mntnsmap),
// cgroupset is u64 -> u64 1 (bcc's --cgroupmap). Thread-safe.
class TracerSets : public TracerSink {
 public:
  // `slots` and `abi` must outlive it.
  TracerSets(const PinPaths& paths, SlotTable* slots, AbiWriter* abi)
      : directory_(paths.tracers()), slots_(*slots), abi_(*abi) {}

  // NOT_FOUND when no container has the handle.
  absl::Status SetTracerBits(uint64_t handle, const TracerBits& bits) override;
  // Pins an empty map. One that an earlier writer left is emptied and used again where it has the
  // shape, so that who has it open goes on with it; else it is replaced. INVALID_ARGUMENT for a
  // name with a slash or dot that a BPF file system would refuse.
  absl::Status CreateSet(std::string_view tracer, TracerSet set) override;
  absl::Status RemoveSet(std::string_view tracer, TracerSet set) override;
  absl::Status AddToSet(std::string_view tracer, TracerSet set, uint64_t key) override;
  // OK when the key is not there.
  absl::Status RemoveFromSet(std::string_view tracer, TracerSet set, uint64_t key) override;
  absl::StatusOr<int> OpenSet(std::string_view tracer, TracerSet set) override;

  // Empties the sets that an earlier writer left: nobody takes out of them what ends, and inode
  // numbers are used again. The pins stay, for CreateSet. At start, before there are tracers.
  void EmptyAll();

 private:
  std::string Path(std::string_view tracer, TracerSet set) const;

  const std::string directory_;
  SlotTable& slots_;
  AbiWriter& abi_;
  Mutex mutex_;
  absl::flat_hash_map<std::string, Fd> maps_ ABSL_GUARDED_BY(mutex_);  // by path
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_MIRROR_TRACER_SETS_H_

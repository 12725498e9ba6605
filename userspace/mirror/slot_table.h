// SlotTable allots and frees the slots of roster_slot, beside BPF, which does the same.
#ifndef ROSTER_USERSPACE_MIRROR_SLOT_TABLE_H_
#define ROSTER_USERSPACE_MIRROR_SLOT_TABLE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "kernel/pins.h"

namespace roster {

// The slots are shared memory; whoever moves a state by compare and swap owns what follows from it.
// Thread-safe.
class SlotTable {
 public:
  // `maps` must outlive it.
  explicit SlotTable(PinnedMaps* maps) : maps_(maps) {}

  // A fresh handle whose slot is RESERVED and empty. RESOURCE_EXHAUSTED, naming the map, when all
  // are in use.
  absl::StatusOr<uint64_t> Reserve();

  // The slot that `handle` names, or nullptr when it names none any more.
  roster_membership* Find(uint64_t handle) const;
  roster_birth* Birth(uint64_t handle) const;
  // A copy; nullopt as above.
  std::optional<roster_membership> Snapshot(uint64_t handle) const;

  // Writes the handle into its slot and moves it from RESERVED to `state`: from here look-ups find
  // it.
  void Publish(uint64_t handle, uint32_t state);

  // Moves the slot from `from` to RESERVED; false when it is in another state, or is another's.
  bool Claim(uint64_t handle, uint32_t from);

  // Empties a slot that the caller has claimed. No identity may lead to it any more.
  void Free(uint64_t handle);

  // Handles of all slots that are in use and published.
  std::vector<uint64_t> Handles() const;

  // Frees slots that a crash left RESERVED, and those whose handle is not theirs. Only before
  // anybody else allots: at start.
  size_t FreeAbandoned();

 private:
  PinnedMaps* maps_;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_MIRROR_SLOT_TABLE_H_

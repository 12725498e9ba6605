#include "mirror/slot_table.h"

#include <cstddef>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "kernel/shared_field.h"

namespace roster {
absl::StatusOr<uint64_t> SlotTable::Reserve() {
  const uint32_t start = AddField(maps_->hot[0].cursor, 1);
  for (uint32_t n = 0; n < ROSTER_MAX_SLOTS; ++n) {
    const uint32_t slot = (start + n) % ROSTER_MAX_SLOTS;
    if (slot == 0) continue;  // not used: a handle of 0 names nothing
    roster_membership& m = maps_->slots[slot];
    if (LoadField(m.state) != ROSTER_FREE || !SwapField(m.state, ROSTER_FREE, ROSTER_RESERVED))
      continue;
    roster_birth& b = maps_->births[slot];
    const uint32_t epoch = b.epoch + 1;
    b = roster_birth{};
    b.epoch = epoch;
    // All but handle, which is 0, and state, which keeps others out.
    std::memset(&m.flags, 0, sizeof(m) - offsetof(roster_membership, flags));
    return ROSTER_MAKE_HANDLE(epoch, slot);
  }
  return absl::ResourceExhaustedError(
      absl::StrCat("map roster_slot is full (", ROSTER_MAX_SLOTS, ")"));
}

roster_membership* SlotTable::Find(uint64_t handle) const {
  const uint32_t slot = ROSTER_HANDLE_SLOT(handle);
  if (handle == 0 || slot >= ROSTER_MAX_SLOTS) return nullptr;
  roster_membership& m = maps_->slots[slot];
  return LoadField(m.handle) == handle ? &m : nullptr;
}

roster_birth* SlotTable::Birth(uint64_t handle) const {
  const uint32_t slot = ROSTER_HANDLE_SLOT(handle);
  return slot < ROSTER_MAX_SLOTS ? &maps_->births[slot] : nullptr;
}

std::optional<roster_membership> SlotTable::Snapshot(uint64_t handle) const {
  const roster_membership* m = Find(handle);
  if (m == nullptr) return std::nullopt;
  const roster_membership copy = CopyShared(*m);
  // Freed, or given to another, while it was copied.
  if (Find(handle) == nullptr) return std::nullopt;
  return copy;
}

void SlotTable::Publish(uint64_t handle, uint32_t state) {
  roster_membership& m = maps_->slots[ROSTER_HANDLE_SLOT(handle)];
  StoreField(m.handle, handle);
  StoreField(m.state, state);
}

bool SlotTable::Claim(uint64_t handle, uint32_t from) {
  roster_membership* m = Find(handle);
  return m != nullptr && SwapField(m->state, from, ROSTER_RESERVED);
}

void SlotTable::Free(uint64_t handle) {
  roster_membership& m = maps_->slots[ROSTER_HANDLE_SLOT(handle)];
  StoreField(m.handle, 0);
  StoreField(m.state, ROSTER_FREE);
}

std::vector<uint64_t> SlotTable::Handles() const {
  std::vector<uint64_t> handles;
  for (uint32_t slot = 1; slot < ROSTER_MAX_SLOTS; ++slot) {
    roster_membership& m = maps_->slots[slot];
    if (LoadField(m.state) <= ROSTER_RESERVED) continue;
    if (const uint64_t handle = LoadField(m.handle); handle != 0) handles.push_back(handle);
  }
  return handles;
}

size_t SlotTable::FreeAbandoned() {
  size_t freed = 0;
  for (uint32_t slot = 1; slot < ROSTER_MAX_SLOTS; ++slot) {
    roster_membership& m = maps_->slots[slot];
    // BPF leaves RESERVED within one program; one with a handle was being freed and its identities
    // are stale. One that is in use has a handle, and it is its own.
    const uint32_t state = LoadField(m.state);
    const bool astray = state > ROSTER_ENDED || (state > ROSTER_RESERVED &&
                                                 ROSTER_HANDLE_SLOT(LoadField(m.handle)) != slot);
    if (astray ? !SwapField(m.state, state, ROSTER_RESERVED) : state != ROSTER_RESERVED) continue;
    StoreField(m.handle, 0);
    StoreField(m.state, ROSTER_FREE);
    ++freed;
  }
  return freed;
}

}  // namespace roster

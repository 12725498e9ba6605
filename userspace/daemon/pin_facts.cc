#include "daemon/pin_facts.h"

#include <utility>

#include "kernel/errors.h"
#include "kernel/fd.h"
#include "kernel/pins.h"

namespace roster {
namespace {

template <typename Key, typename Value>
absl::StatusOr<BpfMap<Key, Value>> OpenMap(const std::string& pin_dir, const char* name) {
  ROSTER_ASSIGN_OR_RETURN(Fd fd, OpenPin(PinPaths(pin_dir), name));
  return BpfMap<Key, Value>(std::move(fd), name);
}

}  // namespace

absl::StatusOr<PinFactsReader> PinFactsReader::Open(const std::string& pin_dir) {
  ROSTER_ASSIGN_OR_RETURN(auto slots,
                          (OpenMap<uint32_t, roster_membership>(pin_dir, "roster_slot")));
  ROSTER_ASSIGN_OR_RETURN(auto records,
                          (OpenMap<uint64_t, roster_record>(pin_dir, "roster_record")));
  return PinFactsReader(std::move(slots), std::move(records));
}

std::optional<roster_membership> PinFactsReader::Slot(uint64_t handle) const {
  if (handle == 0) return std::nullopt;
  std::optional<roster_membership> slot = slots_.Find(ROSTER_HANDLE_SLOT(handle));
  if (!slot || slot->handle != handle || slot->state == ROSTER_FREE ||
      slot->state == ROSTER_RESERVED) {
    return std::nullopt;
  }
  return slot;
}

std::optional<PinFacts> PinFactsReader::Find(uint64_t handle) const {
  const std::optional<roster_membership> slot = Slot(handle);
  if (!slot) return std::nullopt;
  const roster_record record = records_.Find(handle).value_or(roster_record{});
  // The kernel copies a slot word by word, while others write: still its own afterwards, it was so
  // in between.
  if (!Slot(handle)) return std::nullopt;
  return PinFacts{.state = slot->state,
                  .flags = slot->flags,
                  .created_at_ns = record.created_at_ns,
                  .started_at_ns = record.started_at_ns};
}

}  // namespace roster

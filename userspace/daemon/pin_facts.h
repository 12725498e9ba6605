// PinFactsReader tells what the pinned maps know of a container and its description does not say.
#ifndef ROSTER_USERSPACE_DAEMON_PIN_FACTS_H_
#define ROSTER_USERSPACE_DAEMON_PIN_FACTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "daemon/container_source.h"
#include "kernel/bpf_map.h"
#include "roster_abi.h"

namespace roster {

// By system calls, three a container, and nothing is kept: a Reader would map the slots (2 MiB) a
// second time into the daemon, which the tracker has mapped already, and keep a copy of each
// record. Thread-safe.
class PinFactsReader {
 public:
  // The errors of bpf_obj_get(2), naming the pin. Whoever runs beside a tracker need not check the
  // pins again.
  static absl::StatusOr<PinFactsReader> Open(const std::string& pin_dir);

  // nullopt: the handle names no container, or none any more.
  std::optional<PinFacts> Find(uint64_t handle) const;

 private:
  PinFactsReader(BpfMap<uint32_t, roster_membership> slots, BpfMap<uint64_t, roster_record> records)
      : slots_(std::move(slots)), records_(std::move(records)) {}
  // The slot, while it is the handle's.
  std::optional<roster_membership> Slot(uint64_t handle) const;

  BpfMap<uint32_t, roster_membership> slots_;
  BpfMap<uint64_t, roster_record> records_;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_DAEMON_PIN_FACTS_H_

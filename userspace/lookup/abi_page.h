// AbiPage reads the pinned roster_abi: whose version the pins have, whether they are of this boot,
// and whether the daemon that writes them lives.
#ifndef ROSTER_USERSPACE_LOOKUP_ABI_PAGE_H_
#define ROSTER_USERSPACE_LOOKUP_ABI_PAGE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "lookup/pinned_map.h"
#include "roster_abi.h"

namespace roster::lookup_internal {

class AbiPage {
 public:
  AbiPage() = default;

  // FAILED_PRECONDITION where the page was never initialised, is of another major version or of
  // another boot; and the errors of OpenPinnedMap.
  static absl::StatusOr<AbiPage> Open(const std::string& pin_dir);

  roster_abi Copy() const;
  // Grows with every change of the pins.
  uint64_t Changes() const;
  // The daemon has not stopped cleanly, its heartbeat is at most three seconds old and, where the
  // caller shares the host's pid namespace, its process exists.
  bool IsDaemonAlive() const;

 private:
  const roster_abi* page() const { return static_cast<const roster_abi*>(memory_.data()); }

  MappedArray memory_;
  uint64_t own_pidns_ = 0;
};

}  // namespace roster::lookup_internal

#endif  // ROSTER_USERSPACE_LOOKUP_ABI_PAGE_H_

// ReadBootId tells one boot of this machine from another.
#ifndef ROSTER_USERSPACE_KERNEL_BOOT_ID_H_
#define ROSTER_USERSPACE_KERNEL_BOOT_ID_H_

#include <array>
#include <cstdint>

#include "absl/status/statusor.h"

namespace roster {

// /proc/sys/kernel/random/boot_id. FAILED_PRECONDITION where it cannot be read or is no UUID.
absl::StatusOr<std::array<uint8_t, 16>> ReadBootId();

}  // namespace roster

#endif  // ROSTER_USERSPACE_KERNEL_BOOT_ID_H_

// Conversion between a Container and its fixed-layout record in the pins.
#ifndef ROSTER_USERSPACE_MIRROR_RECORD_H_
#define ROSTER_USERSPACE_MIRROR_RECORD_H_

#include <roster/container.h>

#include <cstdint>

#include "roster_abi.h"

namespace roster {

// Text that does not fit is cut at a character's border and ROSTER_R_TRUNCATED set; labels are kept
// whole, in the order of their keys, as far as they fit. Times are left 0.
roster_record MakeRecord(const Container& container);

// What a record and its slot say of a container, for a daemon that finds them at its start. Text is
// taken up to its NUL or its end, never beyond.
Container ContainerFromRecord(const roster_record& record, const roster_membership& membership);

// One that nobody could name: its runtime is called kUnknownRuntime, and its id begins so.
inline constexpr char kUnknownRuntime[] = "unknown";
bool IsUnknown(const Container& container);

}  // namespace roster

#endif  // ROSTER_USERSPACE_MIRROR_RECORD_H_

// Whether a slot of the pins is true of what runs.
#ifndef ROSTER_USERSPACE_TRACKER_SLOT_TRUTH_H_
#define ROSTER_USERSPACE_TRACKER_SLOT_TRUTH_H_

#include "lineage_abi.h"
#include "roster_abi.h"

namespace roster {

// Of a slot that was found at a start and whose init is known: its init lives, in that mount
// namespace, or is gone and has left tasks behind, the last of which ends the container.
bool IsTrue(const roster_membership& slot, const roster_birth& birth);

// Of a slot that userspace filled for a container that ran already, once its tasks have been
// entered: whether the kernel's programs will see it end. They do not where its init died before it
// was entered.
bool HasAnEnd(const roster_membership& slot, const roster_birth& birth);

}  // namespace roster

#endif  // ROSTER_USERSPACE_TRACKER_SLOT_TRUTH_H_

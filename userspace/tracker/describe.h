// Descriptions of containers, put together from what the hooks and the host tell.
#ifndef ROSTER_USERSPACE_TRACKER_DESCRIBE_H_
#define ROSTER_USERSPACE_TRACKER_DESCRIBE_H_

#include <roster/container.h>

#include <string>
#include <string_view>

#include "roster_abi.h"
#include "runtime/command_line.h"
#include "runtime/identify.h"
#include "runtime/metadata.h"
#include "tracker/resolve_exec.h"

namespace roster {

// Adds what conmon was told (if `conmon` is not nullptr) and what the engine's files below
// `host_root` say; names a container that nobody named after its id, as ctr, runc and crun do.
void CompleteDescription(const OciSpec& spec, const ConmonIntent* conmon,
                         std::string_view host_root, Container* container);

// What was found out about a running container. Fields of `known` that are set stay. `kind` becomes
// what its bundle says; without one it stays.
Container DescribeIdentity(const Identity& identity, std::string_view host_root, Container known,
                           ContainerKind* kind);

// A container whose runtime nobody knows: id "unknown-<handle in hex>", see IsUnknown.
Container DescribeUnknown(uint64_t handle);

// Copies the identities that the kernel bound.
void TakeMembership(const roster_membership& slot, Container* container);

}  // namespace roster

#endif  // ROSTER_USERSPACE_TRACKER_DESCRIBE_H_

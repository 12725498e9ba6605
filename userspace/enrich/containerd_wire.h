// containerd's messages as EngineContainers.
#ifndef ROSTER_USERSPACE_ENRICH_CONTAINERD_WIRE_H_
#define ROSTER_USERSPACE_ENRICH_CONTAINERD_WIRE_H_

#include "containerd.pb.h"
#include "containerd_tasks.pb.h"
#include "enrich/engine_client.h"

namespace roster {

inline constexpr char kContainerdKindLabel[] = "io.cri-containerd.kind";  // "sandbox", "container"

// What is in its metadata store: all but state, pid and image. The id may be empty. A sandbox has
// the labels that its pod was given.
EngineContainer FromContainerd(const containerd::services::containers::v1::Container& wire);

// State, and the pid of what has not ended; 0 for one that is none.
void AddContainerdProcess(const containerd::services::tasks::v1::Process& process,
                          EngineContainer* container);

}  // namespace roster

#endif  // ROSTER_USERSPACE_ENRICH_CONTAINERD_WIRE_H_

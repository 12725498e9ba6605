// The messages of Kubernetes' Container Runtime Interface as EngineContainers.
#ifndef ROSTER_USERSPACE_ENRICH_CRI_WIRE_H_
#define ROSTER_USERSPACE_ENRICH_CRI_WIRE_H_

#include <string>

#include "cri.pb.h"
#include "enrich/engine_client.h"

namespace roster {

// `runtime_name` decides on the container's name, see CriClient. The id may be empty; pid and
// mounts are in neither message (cri_info.h), the sandbox in the first alone, the start in the
// second.
EngineContainer FromCri(const ::runtime::v1::Container& wire, const std::string& runtime_name);
EngineContainer FromCri(const ::runtime::v1::ContainerStatus& wire,
                        const std::string& runtime_name);

// With is_sandbox set.
EngineContainer FromCriSandbox(const ::runtime::v1::PodSandbox& wire);

}  // namespace roster

#endif  // ROSTER_USERSPACE_ENRICH_CRI_WIRE_H_

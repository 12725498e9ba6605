// What a CRI engine adds to a container's status when it is asked to be verbose.
#ifndef ROSTER_USERSPACE_ENRICH_CRI_INFO_H_
#define ROSTER_USERSPACE_ENRICH_CRI_INFO_H_

#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "enrich/engine_client.h"

namespace roster {

// Fills pid, mounts and cgroup. `info` has either one entry "info", JSON {pid, runtimeSpec}, or in
// older engines "pid", a number in text, and "runtimeSpec", JSON. DATA_LOSS where the pid is
// missing, zero, negative or no integer, or where the spec is no JSON.
absl::Status FillFromCriInfo(const std::map<std::string, std::string>& info,
                             EngineContainer* container);

}  // namespace roster

#endif  // ROSTER_USERSPACE_ENRICH_CRI_INFO_H_

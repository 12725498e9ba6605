// DockerState is what dockerd wrote about a container into
// <data-root>/containers/<id>/config.v2.json.
#ifndef ROSTER_USERSPACE_ENRICH_DOCKER_STATE_H_
#define ROSTER_USERSPACE_ENRICH_DOCKER_STATE_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "enrich/engine_client.h"
#include "runtime/oci_spec.h"

namespace roster {

// The directory <data-root>/containers that a spec's mounts of hostname, hosts or resolv.conf point
// into; "" where there is no such mount. The id beside it may be another container's: with
// --network container:X those files are X's.
std::string DockerContainersDirectory(const OciSpec& spec);

// Name, image name and id, labels and with them the Kubernetes fields; neither pid nor state, which
// the file has late. dockerd writes it when the container is created, before it asks for any
// runtime (20.10; the tests look). The file must be root's alone, below 256 KiB (else the late
// stage has to do) and name `id`. `directory` as above, with the host's root before it. NOT_FOUND,
// PERMISSION_DENIED, OUT_OF_RANGE, FAILED_PRECONDITION for the file; DATA_LOSS for its text.
absl::StatusOr<EngineContainer> ReadDockerState(const std::string& directory,
                                                const std::string& id);

// The text of a config.v2.json.
absl::StatusOr<EngineContainer> ParseDockerState(std::string_view text);

}  // namespace roster

#endif  // ROSTER_USERSPACE_ENRICH_DOCKER_STATE_H_

// Docker's replies as EngineContainers; source: the Docker Engine API, v1.24 to v1.4x.
#ifndef ROSTER_USERSPACE_ENRICH_DOCKER_JSON_H_
#define ROSTER_USERSPACE_ENRICH_DOCKER_JSON_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "enrich/engine_client.h"

namespace roster {

// What /containers/json answers, sandboxes included. Elements without an id are skipped; DATA_LOSS
// for what is no array.
absl::StatusOr<std::vector<EngineContainer>> ParseDockerList(std::string_view text);

// What /containers/{id}/json answers. DATA_LOSS for what is no object or has no id.
absl::StatusOr<EngineContainer> ParseDockerInspect(std::string_view text);

// The digest in what /images/{id}/json answers: of the RepoDigests the one of `image_name`'s
// repository, else the first; "" where there is none. DATA_LOSS for what is no object.
absl::StatusOr<std::string> ParseDockerImageDigest(std::string_view text,
                                                   std::string_view image_name);

// The name among a container's names: without the leading slash, and no alias that a link gave it
// ("/other/alias"); "" where there is none.
std::string DockerName(const std::vector<std::string>& names);

// Splits "repo/image:tag@sha256:..." at the "@" into name and digest.
void SetDockerImage(const std::string& image, EngineContainer* container);

// Fills labels, the Kubernetes fields, sandbox and is_sandbox.
void SetDockerLabels(std::map<std::string, std::string> labels, EngineContainer* container);

}  // namespace roster

#endif  // ROSTER_USERSPACE_ENRICH_DOCKER_JSON_H_

// Podman's replies as EngineContainers; source: the libpod REST API, v4.
#ifndef ROSTER_USERSPACE_ENRICH_PODMAN_JSON_H_
#define ROSTER_USERSPACE_ENRICH_PODMAN_JSON_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "enrich/engine_client.h"

namespace roster {

// What /libpod/containers/json answers. Elements without an id are skipped; DATA_LOSS for what is
// no array. `null` is an empty list: podman writes it so.
absl::StatusOr<std::vector<EngineContainer>> ParsePodmanList(std::string_view text);

// What /libpod/containers/{id}/json answers. DATA_LOSS for what is no object or has no id.
absl::StatusOr<EngineContainer> ParsePodmanInspect(std::string_view text);

// The digest in what /libpod/images/{id}/json answers, "" where there is none.
absl::StatusOr<std::string> ParsePodmanImageDigest(std::string_view text);

// The labels in what /libpod/pods/{id}/json answers.
absl::StatusOr<std::map<std::string, std::string>> ParsePodmanPodLabels(std::string_view text);

}  // namespace roster

#endif  // ROSTER_USERSPACE_ENRICH_PODMAN_JSON_H_

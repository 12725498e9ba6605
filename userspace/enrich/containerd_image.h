// The id of an image in containerd's content store: the digest of its configuration.
#ifndef ROSTER_USERSPACE_ENRICH_CONTAINERD_IMAGE_H_
#define ROSTER_USERSPACE_ENRICH_CONTAINERD_IMAGE_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace roster {

// What an image manifest or an index (OCI's, or Docker's manifest list) points to.
struct ManifestTarget {
  std::string config;    // digest of the configuration; "" for an index
  std::string manifest;  // digest of the manifest for this machine's platform; "" for a manifest
};

// DATA_LOSS for what is neither, NOT_FOUND for an index without this machine's platform.
absl::StatusOr<ManifestTarget> ParseManifest(std::string_view text);

}  // namespace roster

#endif  // ROSTER_USERSPACE_ENRICH_CONTAINERD_IMAGE_H_

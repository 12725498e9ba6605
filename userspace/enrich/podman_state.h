// PodmanState is what podman's storage wrote about containers and images into its JSON files.
#ifndef ROSTER_USERSPACE_ENRICH_PODMAN_STATE_H_
#define ROSTER_USERSPACE_ENRICH_PODMAN_STATE_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "enrich/engine_client.h"

namespace roster {

// Where a container's bundle, <graphroot>/<driver>-containers/<id>/userdata, is.
struct PodmanStore {
  std::string containers;  // <graphroot>/<driver>-containers
  std::string images;      // <graphroot>/<driver>-images
  std::string id;

  bool empty() const { return id.empty(); }
};
// Empty where `bundle` has another form. "overlay", "vfs", ...: any driver.
PodmanStore ParsePodmanBundle(std::string_view bundle);

// Name, image name and id, from containers.json, else from volatile-containers.json where podman
// keeps those with --rm. Podman writes it when the container is created, before it starts conmon
// (read, of 4.3). The files must be root's alone and below 8 MiB. Paths have the host's root
// before them. Costs a read of the file and a search; only the container's own entry is parsed. (A
// cache by time and size would not help: every container that is created changes the file.)
// NOT_FOUND for a container that is not there, and errors of the files; DATA_LOSS for their text.
absl::StatusOr<EngineContainer> ReadPodmanState(const PodmanStore& store);

// The digest of an image from images.json, below 32 MiB; "" where it has none. For the late stage.
absl::StatusOr<std::string> ReadPodmanImageDigest(const PodmanStore& store,
                                                  const std::string& image_id);

// The entry of `id` in the text of one of these files. DATA_LOSS when the text is no array of
// objects as containers/storage writes them, NOT_FOUND when it is and has no such entry.
absl::StatusOr<std::string_view> FindPodmanEntry(std::string_view text, std::string_view id);

// One entry of containers.json.
absl::StatusOr<EngineContainer> ParsePodmanEntry(std::string_view text);

}  // namespace roster

#endif  // ROSTER_USERSPACE_ENRICH_PODMAN_STATE_H_

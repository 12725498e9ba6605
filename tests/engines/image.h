// The image of the test containers: busybox, and the payload under many names.
#ifndef ROSTER_TESTS_ENGINES_IMAGE_H_
#define ROSTER_TESTS_ENGINES_IMAGE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engines/workspace.h"

namespace roster::testing {

inline constexpr char kImageName[] = "localhost/roster-test:1";
// Markers rc0 to rc1023. The kernel's comm of a process that was started as /rc7 is "rc7".
inline constexpr int kMarkers = 1024;

// Path of a marker in the image. See payload.c for its arguments.
std::string MarkerPath(int marker);

struct Image {
  std::string rootfs;   // directory of MakeRootfs; shared, so use it read-only
  std::string archive;  // the same as a docker-archive, for docker, podman and ctr
};

// Makes the directory alone in the workspace, once; its path. Who needs no archive is spared the
// packing, which takes seconds on a slow machine.
absl::StatusOr<std::string> MakeRootfs(const Workspace& workspace);

// Makes both in the workspace, once.
absl::StatusOr<Image> MakeImage(const Workspace& workspace);

}  // namespace roster::testing

#endif  // ROSTER_TESTS_ENGINES_IMAGE_H_

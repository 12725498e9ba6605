// PodmanEngine starts containers with podman and storage of its own; with conmon and crun below it.
#ifndef ROSTER_TESTS_ENGINES_PODMAN_ENGINE_H_
#define ROSTER_TESTS_ENGINES_PODMAN_ENGINE_H_

#include <string>
#include <vector>

#include "engines/docker_like_engine.h"

namespace roster::testing {

class PodmanEngine : public DockerLikeEngine {
 public:
  explicit PodmanEngine(const Workspace& workspace);

  std::string Name() const override { return "podman"; }
  std::string Runtime() const override { return "crun"; }
  absl::Status Start() override;
  absl::Status Stop() override;

 protected:
  std::vector<std::string> Program() const override;
  std::vector<std::string> Environment() const override;
  std::vector<std::string> RunOptions() const override;
  std::vector<std::string> RemoveOptions() const override { return {"--time", "0"}; }

 private:
  const std::string directory_;
};

}  // namespace roster::testing

#endif  // ROSTER_TESTS_ENGINES_PODMAN_ENGINE_H_

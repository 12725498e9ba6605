// DockerEngine starts containers with a dockerd of its own; with containerd and runc below it.
#ifndef ROSTER_TESTS_ENGINES_DOCKER_ENGINE_H_
#define ROSTER_TESTS_ENGINES_DOCKER_ENGINE_H_

#include <string>
#include <vector>

#include "engines/docker_like_engine.h"
#include "engines/service.h"

namespace roster::testing {

class DockerEngine : public DockerLikeEngine {
 public:
  explicit DockerEngine(const Workspace& workspace);

  std::string Name() const override { return "docker"; }
  std::string Runtime() const override { return "runc"; }
  absl::Status Start() override;
  absl::Status Stop() override;

  // The socket that an enricher would use.
  const std::string& socket() const { return service_.socket; }

 protected:
  std::vector<std::string> Program() const override;
  std::vector<std::string> Environment() const override;

 private:
  const std::string directory_;
  ServiceOptions service_;
};

}  // namespace roster::testing

#endif  // ROSTER_TESTS_ENGINES_DOCKER_ENGINE_H_

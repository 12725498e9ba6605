// DockerLikeEngine is what Docker and Podman have in common: their command line.
#ifndef ROSTER_TESTS_ENGINES_DOCKER_LIKE_ENGINE_H_
#define ROSTER_TESTS_ENGINES_DOCKER_LIKE_ENGINE_H_

#include <string>
#include <vector>

#include "engines/engine.h"

namespace roster::testing {

class DockerLikeEngine : public Engine {
 public:
  absl::StatusOr<std::string> Run(const ContainerSpec& spec) override;
  absl::StatusOr<std::string> Create(const ContainerSpec& spec) override;
  absl::Status StartCreated(const std::string& name) override;
  absl::StatusOr<int> Exec(const std::string& name,
                           const std::vector<std::string>& arguments) override;
  absl::Status Kill(const std::string& name, int signal) override;
  absl::Status Remove(const std::string& name) override;
  absl::StatusOr<pid_t> Pid(const std::string& name) override;
  absl::StatusOr<std::vector<std::string>> ListOwn() override;
  std::string CommandPrefix() const override;

 protected:
  explicit DockerLikeEngine(const Workspace& workspace) : workspace_(workspace) {}

  // The program and its global options.
  virtual std::vector<std::string> Program() const = 0;
  // On top of the workspace's.
  virtual std::vector<std::string> Environment() const = 0;
  // Further options of `run` and `create`.
  virtual std::vector<std::string> RunOptions() const { return {}; }
  virtual std::vector<std::string> RemoveOptions() const { return {}; }

  absl::StatusOr<std::string> Call(const std::vector<std::string>& arguments) const;
  absl::Status RemoveAll();

  const Workspace& workspace_;

 private:
  absl::StatusOr<std::string> Begin(std::vector<std::string> line, const ContainerSpec& spec) const;
};

}  // namespace roster::testing

#endif  // ROSTER_TESTS_ENGINES_DOCKER_LIKE_ENGINE_H_

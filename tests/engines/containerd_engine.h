// ContainerdEngine starts containers with containerd through `ctr`; with runc below it.
#ifndef ROSTER_TESTS_ENGINES_CONTAINERD_ENGINE_H_
#define ROSTER_TESTS_ENGINES_CONTAINERD_ENGINE_H_

#include <string>
#include <vector>

#include "engines/engine.h"
#include "engines/service.h"

namespace roster::testing {

class ContainerdEngine : public Engine {
 public:
  explicit ContainerdEngine(const Workspace& workspace);

  std::string Name() const override { return "containerd"; }
  std::string Runtime() const override { return "runc"; }
  absl::Status Start() override;
  absl::Status Stop() override;
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

  // The socket that an enricher would use.
  const std::string& socket() const { return service_.socket; }
  // The containerd namespace of its containers.
  std::string containerd_namespace() const { return workspace_.unique_name(); }

 private:
  absl::StatusOr<std::string> Call(const std::vector<std::string>& arguments) const;

  const Workspace& workspace_;
  const std::string directory_;
  ServiceOptions service_;
};

}  // namespace roster::testing

#endif  // ROSTER_TESTS_ENGINES_CONTAINERD_ENGINE_H_

// OciEngine starts containers with a bare OCI runtime: runc, crun, youki or runsc.
#ifndef ROSTER_TESTS_ENGINES_OCI_ENGINE_H_
#define ROSTER_TESTS_ENGINES_OCI_ENGINE_H_

#include <string>
#include <vector>

#include "engines/engine.h"
#include "engines/image.h"

namespace roster::testing {

class OciEngine : public Engine {
 public:
  // `program` is a name for the PATH, or a path: a copy under another name is a runtime that nobody
  // knows.
  // With kDefaultStates it keeps its states where the runtime does by itself, below /run: there a
  // Roster that starts later can find them. Names of containers must then begin with the
  // workspace's unique name, by which the sweep knows them.
  enum class States { kOwn, kDefault };
  OciEngine(std::string program, const Workspace& workspace, States states = States::kOwn);

  std::string Name() const override { return name_; }
  std::string Runtime() const override { return name_; }
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

  std::string BundleOf(const std::string& name) const { return directory_ + "/bundles/" + name; }
  // The runtime's global options, then `arguments`.
  std::vector<std::string> CommandLine(const std::vector<std::string>& arguments) const;
  // What its runtime is called with.
  std::vector<std::string> Environment() const;
  // Where it keeps its states, with kOwn.
  std::string StateDirectory() const { return directory_ + "/state"; }
  const std::string& rootfs() const { return rootfs_; }
  // For config.json's cgroupsPath.
  std::string CgroupsPath(const std::string& name) const;

 private:
  absl::StatusOr<std::string> Begin(const std::string& verb, const ContainerSpec& spec,
                                    std::vector<std::string> options);
  absl::StatusOr<std::string> Call(const std::vector<std::string>& arguments) const;

  const std::string program_;
  const std::string name_;
  const States states_;
  const Workspace& workspace_;
  const std::string directory_;
  std::string rootfs_;
};

}  // namespace roster::testing

#endif  // ROSTER_TESTS_ENGINES_OCI_ENGINE_H_

#include "engines/docker_engine.h"

#include <fstream>

#include "absl/strings/str_cat.h"
#include "engines/image.h"
#include "kernel/errors.h"

namespace roster::testing {

DockerEngine::DockerEngine(const Workspace& workspace)
    : DockerLikeEngine(workspace), directory_(workspace.MakeDirectory("docker")) {
  service_.socket = directory_ + "/docker.sock";
  service_.arguments = {"dockerd",
                        "--config-file",
                        directory_ + "/daemon.json",
                        "--data-root",
                        directory_ + "/data",
                        "--exec-root",
                        directory_ + "/exec",
                        "--host",
                        "unix://" + service_.socket,
                        "--pidfile",
                        directory_ + "/dockerd.pid",
                        "--exec-opt",
                        "native.cgroupdriver=cgroupfs",
                        "--cgroup-parent",
                        "/" + workspace.unique_name(),
                        "--iptables=false",
                        "--ip6tables=false",
                        "--bridge=none"};
  service_.environment = workspace.environment();
  service_.pid_path = directory_ + "/pid";
  service_.log_path = directory_ + "/log";
}

std::vector<std::string> DockerEngine::Program() const {
  return {"docker", "--host", "unix://" + service_.socket};
}

std::vector<std::string> DockerEngine::Environment() const {
  return {"DOCKER_CONFIG=" + directory_ + "/client"};
}

absl::Status DockerEngine::Start() {
  ROSTER_ASSIGN_OR_RETURN(Image image, MakeImage(workspace_));
  std::ofstream(directory_ + "/daemon.json") << "{}\n";  // not the host's
  ROSTER_RETURN_IF_ERROR(StartService(service_));
  return Call({"load", "--quiet", "--input", image.archive}).status();
}

absl::Status DockerEngine::Stop() {
  absl::Status first = absl::OkStatus();
  if (ListOwn().ok()) first.Update(RemoveAll());
  first.Update(StopService(service_));
  return first;
}

}  // namespace roster::testing

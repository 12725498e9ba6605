#include "engines/podman_engine.h"

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engines/image.h"
#include "kernel/errors.h"

namespace roster::testing {

PodmanEngine::PodmanEngine(const Workspace& workspace)
    : DockerLikeEngine(workspace), directory_(workspace.MakeDirectory("podman")) {}

std::vector<std::string> PodmanEngine::Program() const {
  return {"podman",
          "--root",
          directory_ + "/root",
          "--runroot",
          directory_ + "/run",
          "--tmpdir",
          directory_ + "/libpod",
          "--network-config-dir",
          directory_ + "/networks"};
}

std::vector<std::string> PodmanEngine::Environment() const {
  return {"CONTAINERS_CONF=" + directory_ + "/containers.conf",
          "CONTAINERS_STORAGE_CONF=" + directory_ + "/storage.conf"};
}

std::vector<std::string> PodmanEngine::RunOptions() const {
  return {"--cgroup-parent", "/" + workspace_.unique_name(), "--pull", "never"};
}

absl::Status PodmanEngine::Start() {
  ROSTER_ASSIGN_OR_RETURN(Image image, MakeImage(workspace_));
  if (std::filesystem::exists(directory_ + "/containers.conf")) return absl::OkStatus();
  std::string marks;
  for (const std::string& entry : workspace_.environment())
    absl::StrAppend(&marks, ", \"", entry, "\"");
  // The limits: raising them, as podman does by default, needs a capability that root may lack. The
  // locks: shared memory would be the host's podman's too. conmon's environment: podman gives it no
  // other.
  std::ofstream(directory_ + "/containers.conf")
      << "[containers]\n"
      << "default_ulimits = [\"nofile=1024:4096\", \"nproc=4096:8192\"]\n"
      << "[engine]\n"
      << "cgroup_manager = \"cgroupfs\"\n"
      << "runtime = \"crun\"\n"
      << "events_logger = \"file\"\n"
      << "lock_type = \"file\"\n"
      << "conmon_env_vars = [\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\""
      << marks << "]\n"
      << "[engine.runtimes]\n"
      << "crun = [\"/usr/bin/crun\", \"/usr/local/bin/crun\"]\n";
  std::ofstream(directory_ + "/storage.conf") << "[storage]\n"
                                              << "driver = \"overlay\"\n"
                                              << "graphroot = \"" << directory_ << "/root\"\n"
                                              << "runroot = \"" << directory_ << "/run\"\n";
  absl::StatusOr<std::string> loaded = Call({"load", "--quiet", "--input", image.archive});
  if (!loaded.ok()) {
    std::filesystem::remove(directory_ + "/containers.conf");
    return loaded.status();
  }
  return absl::OkStatus();
}

absl::Status PodmanEngine::Stop() {
  if (!std::filesystem::exists(directory_ + "/containers.conf")) return absl::OkStatus();
  return RemoveAll();
}

}  // namespace roster::testing

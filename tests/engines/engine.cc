#include "engines/engine.h"

#include <unistd.h>

#include <cstdlib>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engines/containerd_engine.h"
#include "engines/docker_engine.h"
#include "engines/fetched.h"
#include "engines/oci_engine.h"
#include "engines/podman_engine.h"

namespace roster::testing {
namespace {

bool InPath(const std::string& program) {
  const char* path = std::getenv("PATH");
  const std::vector<std::string> directories = absl::StrSplit(path == nullptr ? "" : path, ':');
  for (const std::string& directory : directories) {
    if (::access(absl::StrCat(directory, "/", program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

std::string FetchedYouki() { return FetchedDirectory(kFetchedYouki) + "/youki"; }
std::string FetchedRunsc() { return FetchedDirectory(kFetchedRunsc) + "/runsc"; }

bool IsExecutable(const std::string& path) { return ::access(path.c_str(), X_OK) == 0; }

}  // namespace

std::string EngineName(EngineKind kind) {
  switch (kind) {
    case EngineKind::kRunc:
      return "runc";
    case EngineKind::kCrun:
      return "crun";
    case EngineKind::kContainerd:
      return "containerd";
    case EngineKind::kDocker:
      return "docker";
    case EngineKind::kPodman:
      return "podman";
    case EngineKind::kYouki:
      return "youki";
    case EngineKind::kRunsc:
      return "runsc";
  }
  return "unknown";
}

void PrintTo(EngineKind kind, std::ostream* stream) { *stream << EngineName(kind); }

absl::StatusOr<EngineKind> EngineKindFromName(const std::string& name) {
  for (EngineKind kind : kAllEngines) {
    if (EngineName(kind) == name) return kind;
  }
  for (EngineKind kind : kFetchedRuntimes) {
    if (EngineName(kind) == name) return kind;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("engine ", name, ": not one of runc crun containerd docker podman youki runsc"));
}

std::unique_ptr<Engine> MakeEngine(EngineKind kind, const Workspace& workspace) {
  switch (kind) {
    case EngineKind::kRunc:
      return std::make_unique<OciEngine>("runc", workspace);
    case EngineKind::kCrun:
      return std::make_unique<OciEngine>("crun", workspace);
    case EngineKind::kContainerd:
      return std::make_unique<ContainerdEngine>(workspace);
    case EngineKind::kDocker:
      return std::make_unique<DockerEngine>(workspace);
    case EngineKind::kPodman:
      return std::make_unique<PodmanEngine>(workspace);
    case EngineKind::kYouki:
      return std::make_unique<OciEngine>(FetchedYouki(), workspace);
    case EngineKind::kRunsc:
      return std::make_unique<OciEngine>(FetchedRunsc(), workspace);
  }
  return nullptr;
}

bool IsInstalled(EngineKind kind) {
  switch (kind) {
    case EngineKind::kRunc:
      return InPath("runc");
    case EngineKind::kCrun:
      return InPath("crun");
    case EngineKind::kContainerd:
      return InPath("containerd") && InPath("ctr") && InPath("runc");
    case EngineKind::kDocker:
      return InPath("dockerd") && InPath("docker");
    case EngineKind::kPodman:
      return InPath("podman") && InPath("conmon") && InPath("crun");
    case EngineKind::kYouki:
      return IsExecutable(FetchedYouki());
    case EngineKind::kRunsc:
      return IsExecutable(FetchedRunsc());
  }
  return false;
}

}  // namespace roster::testing

#include "enrich/engine_directory.h"

#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "enrich/ask_engine.h"
#include "enrich/containerd_client.h"
#include "enrich/cri_client.h"
#include "enrich/docker_client.h"
#include "enrich/podman_client.h"
#include "runtime/metadata.h"

namespace roster {
namespace {

// A containerd that serves as many namespaces would be a strange one; the clients are only
// forgotten.
constexpr size_t kMaxEngines = 64;

}  // namespace

bool IsLongHexId(std::string_view id) {
  return id.size() == 64 && std::all_of(id.begin(), id.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

EngineDirectory::EngineDirectory(const LateEnricherOptions& options) : options_(options) {
  for (size_t i = 0; i < options_.clients.size(); ++i) {
    // No socket's name, which the client keeps to itself: one that no other has.
    given_.push_back({absl::StrCat(options_.clients[i]->Name(), " ", i), options_.clients[i]});
  }
}

void EngineDirectory::Add(Kind kind, const std::string& socket,
                          const std::string& containerd_namespace, std::vector<Engine*>* engines) {
  const std::string key =
      absl::StrCat(static_cast<int>(kind), " ", socket, " ", containerd_namespace);
  std::unique_ptr<Engine>& engine = engines_[key];
  if (engine == nullptr) {
    engine = std::make_unique<Engine>();
    engine->socket = socket;
    EngineClientOptions options{
        .socket = socket, .timeout = options_.timeout, .proc_root = options_.proc_root};
    switch (kind) {
      case Kind::kDocker:
        engine->client = std::make_unique<DockerClient>(std::move(options));
        break;
      case Kind::kContainerd:
        engine->client =
            std::make_unique<ContainerdClient>(std::move(options), containerd_namespace);
        break;
      case Kind::kPodman:
        engine->client = std::make_unique<PodmanClient>(std::move(options));
        break;
      case Kind::kCrio:
        engine->client = std::make_unique<CriClient>(std::move(options), "cri-o");
        break;
    }
  }
  if (std::find(engines->begin(), engines->end(), engine.get()) == engines->end()) {
    engines->push_back(engine.get());
  }
}

void EngineDirectory::AddAll(Kind kind, const std::vector<std::string>& sockets, bool only_existing,
                             std::vector<Engine*>* engines) {
  for (const std::string& socket : sockets) {
    if (only_existing && access(socket.c_str(), F_OK) != 0) continue;
    Add(kind, socket, "", engines);
  }
}

void EngineDirectory::AddContainerd(const Container& container, const EngineHint& hint,
                                    std::vector<Engine*>* engines) {
  const std::string by_bundle = ParseContainerdTaskPath(container.bundle).containerd_namespace;
  const std::string in_namespace =
      hint.containerd_namespace.empty() ? by_bundle : hint.containerd_namespace;
  if (!hint.containerd_socket.empty()) {
    Add(Kind::kContainerd, hint.containerd_socket, in_namespace, engines);
    return;  // the very one
  }
  for (const std::string& socket : options_.sockets.containerd) {
    Add(Kind::kContainerd, socket, in_namespace, engines);
  }
}

std::vector<EngineDirectory::Engine*> EngineDirectory::EnginesFor(const Container& container) {
  if (engines_.size() > kMaxEngines) engines_.clear();
  std::vector<Engine*> engines;
  for (Engine& engine : given_) {
    const std::string& name = container.runtime.runtime_name;
    if (!IsEngineName(name) || name == engine.client->Name()) engines.push_back(&engine);
  }
  if (!given_.empty()) return engines;
  EngineHint hint;
  if (container.runtime.container_pid != 0) {
    hint = ReadEngineHint(static_cast<pid_t>(container.runtime.container_pid),
                          {.proc_root = options_.proc_root,
                           .host_root = options_.host_root,
                           .host_mntns = options_.host_mntns});
  }
  const std::string& runtime = container.runtime.runtime_name;
  const std::string bundle_namespace =
      ParseContainerdTaskPath(container.bundle).containerd_namespace;
  const bool dockers = hint.containerd_namespace == "moby" || bundle_namespace == "moby";
  if (runtime == "docker" || dockers) {
    AddAll(Kind::kDocker, hint.docker_sockets, false, &engines);
    AddAll(Kind::kDocker, options_.sockets.docker, false, &engines);
  } else if (runtime == "containerd" || !hint.containerd_socket.empty() ||
             !bundle_namespace.empty()) {
    AddContainerd(container, hint, &engines);
  } else if (runtime == "podman") {
    // Its service runs on demand: not worth waiting for when only labels are missing.
    AddAll(Kind::kPodman, options_.sockets.podman, container.runtime.IsEnriched(), &engines);
  } else if (runtime == "cri-o") {
    AddAll(Kind::kCrio, options_.sockets.crio, false, &engines);
  } else if (IsLongHexId(container.runtime.container_id)) {
    AddAll(Kind::kPodman, options_.sockets.podman, true, &engines);
    AddAll(Kind::kCrio, options_.sockets.crio, true, &engines);
    AddAll(Kind::kDocker, options_.sockets.docker, true, &engines);
  }
  return engines;
}

}  // namespace roster

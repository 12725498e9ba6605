#include "enrich/make_client.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "enrich/containerd_client.h"
#include "enrich/cri_client.h"
#include "enrich/docker_client.h"
#include "enrich/podman_client.h"
#include "enrich/sockets.h"
#include "text/quote.h"

namespace roster {
namespace {

constexpr char kCriDockerdSocket[] = "/run/cri-dockerd.sock";

constexpr absl::Duration kMinTimeout = absl::Milliseconds(1);
constexpr absl::Duration kMaxTimeout = absl::Minutes(1);  // Close may have to wait for it

bool IsInternal(const RuntimeConfig& config) {
  return config.protocol.empty() || config.protocol == "internal";
}

std::string RootOf(const RuntimeConfig& config) {
  return config.host_root == "/" ? "" : config.host_root;
}

// The first of those where the engine is known to listen, below the host's root.
std::string DefaultSocket(const RuntimeConfig& config, bool cri, const std::string& root) {
  const EngineSockets known = DiscoverEngineSockets(root);
  if (config.name == "docker") return cri ? root + kCriDockerdSocket : known.docker.front();
  if (config.name == "containerd") return known.containerd.front();
  if (config.name == "podman") return known.podman.front();
  return known.crio.front();
}

std::string SocketOf(const RuntimeConfig& config, const std::string& root) {
  return config.socket_path.empty() ? DefaultSocket(config, !IsInternal(config), root)
                                    : root + config.socket_path;
}

}  // namespace

absl::StatusOr<std::unique_ptr<EngineClient>> MakeEngineClient(const RuntimeConfig& config) {
  const std::string& name = config.name;
  if (name != "docker" && name != "containerd" && name != "cri-o" && name != "podman") {
    return absl::InvalidArgumentError(
        absl::StrCat("container runtime ", QuoteForMessage(name),
                     " is not known: there are docker, containerd, cri-o and podman"));
  }
  const bool internal = IsInternal(config);
  if (!internal && (config.protocol != "cri" || name == "podman")) {
    return absl::InvalidArgumentError(
        absl::StrCat("container runtime ", name, ": protocol ", QuoteForMessage(config.protocol),
                     name == "podman" ? " is not internal" : " is neither internal nor cri"));
  }
  if (!config.socket_path.empty() && config.socket_path[0] != '/') {
    return absl::InvalidArgumentError(absl::StrCat("container runtime ", name, ": socket ",
                                                   QuoteForMessage(config.socket_path),
                                                   " is not an absolute path"));
  }
  if (config.timeout < kMinTimeout || config.timeout > kMaxTimeout) {
    return absl::InvalidArgumentError(absl::StrCat("container runtime ", name, ": timeout ",
                                                   absl::FormatDuration(config.timeout),
                                                   " is not between 1ms and 1m"));
  }
  const std::string root = RootOf(config);
  EngineClientOptions options{.socket = SocketOf(config, root),
                              .timeout = config.timeout,
                              .proc_root = absl::StrCat(root, "/proc")};
  if (!internal || name == "cri-o") return std::make_unique<CriClient>(std::move(options), name);
  if (name == "docker") return std::make_unique<DockerClient>(std::move(options));
  if (name == "podman") return std::make_unique<PodmanClient>(std::move(options));
  return std::make_unique<ContainerdClient>(std::move(options), config.containerd_namespace);
}

std::string EngineSocket(const RuntimeConfig& config) {
  const std::string root = RootOf(config);
  const std::filesystem::path socket = SocketOf(config, root);
  // Below another root an absolute link leads out of it.
  if (!root.empty()) return socket.lexically_normal().string();
  std::error_code error;
  const std::filesystem::path followed = std::filesystem::weakly_canonical(socket, error);
  return (error ? socket.lexically_normal() : followed).string();
}

}  // namespace roster

#include "enrich/sockets.h"

#include <fcntl.h>

#include <cstdlib>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "enrich/json_fields.h"
#include "process/proc_task.h"
#include "runtime/bounded_file.h"
#include "text/string_view.h"

namespace roster {
namespace {

constexpr char kDefaultDockerSocket[] = "/run/docker.sock";
constexpr char kDefaultDockerConfig[] = "/etc/docker/daemon.json";

std::vector<std::string> Discovered(std::string_view host_root, const char* variable,
                                    std::initializer_list<const char*> well_known) {
  std::vector<std::string> paths;
  const char* configured = std::getenv(variable);
  if (configured != nullptr && configured[0] == '/') {
    paths.push_back(absl::StrCat(ToAbsl(host_root), configured));
  }
  for (const char* path : well_known) paths.push_back(absl::StrCat(ToAbsl(host_root), path));
  return paths;
}

std::string Basename(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));  // npos + 1 is 0
}

std::string Dirname(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

// The values of an option in its spellings -N X, -N=X, --name X and --name=X.
std::vector<std::string> OptionValues(const std::vector<std::string>& argv,
                                      absl::string_view name) {
  std::vector<std::string> values;
  for (size_t i = 1; i < argv.size(); ++i) {
    absl::string_view word = argv[i];
    if (!absl::ConsumePrefix(&word, "-")) continue;
    absl::ConsumePrefix(&word, "-");
    if (!absl::ConsumePrefix(&word, name)) continue;
    if (word.empty() && i + 1 < argv.size()) {
      values.push_back(argv[++i]);
    } else if (absl::ConsumePrefix(&word, "=")) {
      values.emplace_back(word);
    }
  }
  return values;
}

std::string OptionValue(const std::vector<std::string>& argv, absl::string_view name) {
  std::vector<std::string> values = OptionValues(argv, name);
  return values.empty() ? "" : values.back();
}

void AddDockerHost(absl::string_view host, std::vector<std::string>* sockets) {
  if (absl::ConsumePrefix(&host, "unix://") && !host.empty() && host.front() == '/') {
    sockets->emplace_back(host);
  } else if (absl::ConsumePrefix(&host, "fd://")) {
    sockets->emplace_back(kDefaultDockerSocket);  // systemd's docker.socket
  }
}

// The task, if it is root's and the host's own: a container can call itself anything.
absl::StatusOr<std::vector<std::string>> TrustedArguments(const ProcTask& task,
                                                          uint64_t host_mntns) {
  const absl::StatusOr<uid_t> uid = task.RealUid();
  if (!uid.ok()) return uid.status();
  const absl::StatusOr<uint64_t> mntns = task.NamespaceInode(NamespaceKind::kMnt);
  if (!mntns.ok()) return mntns.status();
  if (*uid != 0 || *mntns != host_mntns) return absl::PermissionDeniedError("not the host's root");
  return task.Cmdline();
}

// dockerd writes its containerd's pid beside that one's socket, and is its parent.
std::vector<std::string> SocketsOfDockerAbove(const std::string& containerd_socket,
                                              const HintOptions& options, uint64_t host_mntns) {
  const std::string path =
      absl::StrCat(options.host_root, Dirname(containerd_socket), "/containerd.pid");
  const absl::StatusOr<std::string> text =
      ReadBoundedFile(AT_FDCWD, path.c_str(), path, {.max_bytes = 32, .root_owned = true});
  pid_t pid = 0;
  if (!text.ok() || !absl::SimpleAtoi(absl::StripSuffix(*text, "\n"), &pid)) return {};
  const absl::StatusOr<ProcTask> containerd = ProcTask::Open(pid, options.proc_root);
  if (!containerd.ok()) return {};
  const absl::StatusOr<pid_t> parent = containerd->ParentPid();
  if (!parent.ok()) return {};
  const absl::StatusOr<ProcTask> dockerd = ProcTask::Open(*parent, options.proc_root);
  if (!dockerd.ok()) return {};
  const auto argv = TrustedArguments(*dockerd, host_mntns);
  if (!argv.ok() || argv->empty() || Basename(argv->front()) != "dockerd") return {};
  std::vector<std::string> sockets = DockerdSockets(*argv);
  if (sockets.empty()) {
    std::string config = OptionValue(*argv, "config-file");
    if (config.empty()) config = kDefaultDockerConfig;
    config.insert(0, options.host_root);
    const absl::StatusOr<std::string> json = ReadBoundedFile(
        AT_FDCWD, config.c_str(), config, {.max_bytes = 1 << 20, .root_owned = true});
    if (json.ok()) sockets = DockerdSocketsFromConfig(*json);
  }
  for (std::string& socket : sockets) socket.insert(0, options.host_root);
  return sockets;
}

}  // namespace

EngineSockets DiscoverEngineSockets(std::string_view host_root) {
  return {
      .docker = Discovered(host_root, "INSPEKTOR_GADGET_DOCKER_SOCKETPATH", {kDefaultDockerSocket}),
      .containerd =
          Discovered(host_root, "INSPEKTOR_GADGET_CONTAINERD_SOCKETPATH",
                     {"/run/containerd/containerd.sock", "/run/docker/containerd/containerd.sock"}),
      .podman =
          Discovered(host_root, "INSPEKTOR_GADGET_PODMAN_SOCKETPATH", {"/run/podman/podman.sock"}),
      .crio = Discovered(host_root, "INSPEKTOR_GADGET_CRIO_SOCKETPATH", {"/run/crio/crio.sock"}),
  };
}

EngineHint ReadEngineHint(pid_t pid, const HintOptions& options) {
  uint64_t host_mntns = options.host_mntns;
  if (host_mntns == 0) {
    const absl::StatusOr<ProcTask> self = ProcTask::Open(getpid());
    if (!self.ok()) return {};
    const absl::StatusOr<uint64_t> own = self->NamespaceInode(NamespaceKind::kMnt);
    if (!own.ok()) return {};
    host_mntns = *own;
  }
  const absl::StatusOr<ProcTask> init = ProcTask::Open(pid, options.proc_root);
  if (!init.ok()) return {};
  const absl::StatusOr<pid_t> parent = init->ParentPid();
  if (!parent.ok() || *parent <= 1) return {};
  const absl::StatusOr<ProcTask> shim = ProcTask::Open(*parent, options.proc_root);
  if (!shim.ok()) return {};
  const auto argv = TrustedArguments(*shim, host_mntns);
  if (!argv.ok() || argv->empty()) return {};
  if (!Basename(argv->front()).starts_with("containerd-shim")) return {};
  EngineHint hint;
  hint.containerd_namespace = OptionValue(*argv, "namespace");
  const std::string address(absl::StripPrefix(OptionValue(*argv, "address"), "unix://"));
  if (!address.starts_with("/")) return hint;
  hint.containerd_socket = absl::StrCat(options.host_root, address);
  if (hint.containerd_namespace == "moby") {
    hint.docker_sockets = SocketsOfDockerAbove(address, options, host_mntns);
  }
  return hint;
}

std::vector<std::string> DockerdSockets(const std::vector<std::string>& argv) {
  std::vector<std::string> sockets;
  for (const char* name : {"host", "H"}) {
    for (const std::string& host : OptionValues(argv, name)) AddDockerHost(host, &sockets);
  }
  return sockets;
}

std::vector<std::string> DockerdSocketsFromConfig(std::string_view text) {
  std::vector<std::string> sockets;
  const absl::StatusOr<nlohmann::json> config = ParseForeignJson(text, "daemon.json");
  if (!config.ok()) return sockets;
  const nlohmann::json* hosts = Member(*config, "hosts");
  if (hosts == nullptr || !hosts->is_array()) return sockets;
  for (const nlohmann::json& host : *hosts) {
    if (host.is_string()) AddDockerHost(host.get<std::string>(), &sockets);
  }
  return sockets;
}

}  // namespace roster

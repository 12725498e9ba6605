#include "engines/cri_engine.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/client_unary_call.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/impl/codegen/rpc_method.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "cri_calls.pb.h"
#include "engines/command.h"
#include "engines/fetched.h"
#include "engines/image.h"
#include "engines/wait.h"
#include "kernel/errors.h"

namespace roster::testing {
namespace {

constexpr char kPauseImage[] = "localhost/roster-pause:1";

constexpr char kContainerdConfig[] = R"(version = 2
root = "%DIR/root"
state = "%DIR/state"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.internal.v1.tracing",
                    "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
                    "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper"]
[grpc]
  address = "%SOCKET"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "%PAUSE"
  restrict_oom_score_adj = true
  disable_apparmor = true
  stream_server_address = "127.0.0.1"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "%DIR/cni"
    conf_dir = "%DIR/cni"
)";

constexpr char kCrioConfig[] = R"([crio]
root = "%DIR/root"
runroot = "%DIR/run"
storage_driver = "overlay"
log_dir = "%DIR/log"
version_file = "%DIR/version"
version_file_persist = "%DIR/version-persist"
clean_shutdown_file = "%DIR/clean.shutdown"
[crio.api]
listen = "%SOCKET"
stream_address = "127.0.0.1"
stream_port = "0"
[crio.runtime]
cgroup_manager = "cgroupfs"
conmon_cgroup = "pod"
pinns_path = "%BUILD/pinns"
namespaces_dir = "%DIR/ns"
container_exits_dir = "%DIR/exits"
container_attach_socket_dir = "%DIR/attach"
drop_infra_ctr = true
apparmor_profile = "unconfined"
hooks_dir = []
default_runtime = "runc"
[crio.runtime.runtimes.runc]
runtime_path = ""
runtime_root = "%DIR/runc"
monitor_path = "/usr/bin/conmon"
monitor_cgroup = "pod"
monitor_env = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "%MARK"]
[crio.image]
pause_image = "%PAUSE"
pause_command = "/rc0 wait"
signature_policy = "%DIR/policy.json"
[crio.network]
network_dir = "%DIR/cni"
plugin_dirs = ["%DIR/cni"]
[crio.nri]
enable_nri = false
)";

std::string CrioBuild() { return FetchedDirectory(kFetchedCrio); }

// The test image under another name, and with a command that waits: engines run a sandbox's own.
absl::StatusOr<std::string> MakePauseArchive(const Workspace& workspace) {
  const std::string directory = workspace.MakeDirectory("pause");
  const std::string image = workspace.Path("image");
  nlohmann::json config;
  std::ifstream(image + "/config.json") >> config;
  config["config"]["Cmd"] = {MarkerPath(0), "wait"};
  std::ofstream(directory + "/config.json") << config.dump();
  std::ofstream(directory + "/manifest.json") << nlohmann::json{
      {{"Config", "config.json"},
       {"RepoTags", {kPauseImage}},
       {"Layers", {"layer.tar"}}}}.dump();
  const std::string archive = directory + "/image.tar";
  ROSTER_RETURN_IF_ERROR(RunForOutput({"tar", "-cf", archive, "-C", directory, "manifest.json",
                                       "config.json", "-C", image, "layer.tar"})
                             .status());
  return archive;
}

}  // namespace

struct CriEngine::Pods {
  std::map<std::string, cri::PodSandboxConfig> by_id;
};

CriEngine::CriEngine(Kind kind, const Workspace& workspace)
    : kind_(kind),
      workspace_(workspace),
      directory_(workspace.MakeDirectory(kind == Kind::kCrio ? "crio" : "cri")),
      pods_(std::make_unique<Pods>()) {
  service_.socket = directory_ + "/cri.sock";
  service_.environment = workspace.environment();
  service_.pid_path = directory_ + "/pid";
  service_.log_path = directory_ + "/log.txt";
}

CriEngine::~CriEngine() = default;

bool CriEngine::IsInstalled(Kind kind) {
  return kind == Kind::kContainerd || ::access((CrioBuild() + "/crio").c_str(), X_OK) == 0;
}

std::string CriEngine::CommandPrefix() const {
  if (kind_ == Kind::kContainerd) return absl::StrCat("ctr --address ", socket(), " -n k8s.io");
  return absl::StrCat(CrioBuild(), "/crio --config ", directory_,
                      "/config --config-dir '' status --socket ", socket());
}

absl::Status CriEngine::Start() {
  ROSTER_ASSIGN_OR_RETURN(const Image image, MakeImage(workspace_));
  ROSTER_ASSIGN_OR_RETURN(const std::string pause, MakePauseArchive(workspace_));
  workspace_.MakeDirectory(kind_ == Kind::kCrio ? "crio/cni" : "cri/cni");
  std::ofstream(directory_ + "/config")
      << absl::StrReplaceAll(kind_ == Kind::kCrio ? kCrioConfig : kContainerdConfig,
                             {{"%DIR", directory_},
                              {"%SOCKET", service_.socket},
                              {"%PAUSE", kPauseImage},
                              {"%BUILD", CrioBuild()},
                              {"%MARK", workspace_.environment().front()}});
  const absl::Status started = kind_ == Kind::kCrio ? StartCrio(image.archive, pause)
                                                    : StartContainerd(image.archive, pause);
  ROSTER_RETURN_IF_ERROR(started);
  channel_ = grpc::CreateChannel("unix:" + socket(), grpc::InsecureChannelCredentials());
  return absl::OkStatus();
}

absl::Status CriEngine::StartContainerd(const std::string& archive,
                                        const std::string& pause_archive) {
  service_.arguments = {"containerd", "--config", directory_ + "/config"};
  ROSTER_RETURN_IF_ERROR(StartService(service_));
  for (const std::string& file : {archive, pause_archive}) {
    ROSTER_RETURN_IF_ERROR(
        RunForOutput({"ctr", "--address", socket(), "-n", "k8s.io", "images", "import", file},
                     {.environment = workspace_.environment()})
            .status());
  }
  return absl::OkStatus();
}

absl::Status CriEngine::StartCrio(const std::string& archive, const std::string& pause_archive) {
  std::ofstream(directory_ + "/policy.json")
      << R"({"default":[{"type":"insecureAcceptAnything"}]})";
  // The same kind of storage as podman's, which can load an archive.
  for (const std::string& file : {archive, pause_archive}) {
    ROSTER_RETURN_IF_ERROR(
        RunForOutput({"podman", "--root", directory_ + "/root", "--runroot", directory_ + "/run",
                      "--tmpdir", directory_ + "/libpod", "--storage-driver", "overlay",
                      "--events-backend", "none", "load", "--quiet", "--input", file},
                     {.environment = workspace_.environment()})
            .status());
  }
  service_.arguments = {CrioBuild() + "/crio", "--config", directory_ + "/config", "--config-dir",
                        ""};
  return StartService(service_);
}

template <typename Response, typename Request>
absl::StatusOr<Response> CriEngine::Call(const char* method, const Request& request) {
  const std::string path = absl::StrCat("/runtime.v1.RuntimeService/", method);
  const grpc::internal::RpcMethod call(path.c_str(), grpc::internal::RpcMethod::NORMAL_RPC);
  grpc::ClientContext context;
  context.set_authority("localhost");
  context.set_wait_for_ready(true);
  context.set_deadline(absl::ToChronoTime(In(absl::Seconds(60))));
  Response response;
  const grpc::Status status =
      grpc::internal::BlockingUnaryCall(channel_.get(), call, &context, request, &response);
  if (!status.ok()) {
    return absl::InternalError(absl::StrCat(method, ": ", status.error_message()));
  }
  return response;
}

absl::StatusOr<std::string> CriEngine::RunPod(const std::string& name,
                                              std::map<std::string, std::string> labels) {
  cri::RunPodSandboxRequest request;
  cri::PodSandboxConfig& config = *request.mutable_config();
  config.mutable_metadata()->set_name(name);
  config.mutable_metadata()->set_namespace_("roster");
  config.mutable_metadata()->set_uid("uid-" + name);
  config.set_log_directory(workspace_.MakeDirectory("pod-logs/" + name));
  labels["io.kubernetes.pod.name"] = name;
  labels["io.kubernetes.pod.namespace"] = "roster";
  labels["io.kubernetes.pod.uid"] = "uid-" + name;
  config.mutable_labels()->insert(labels.begin(), labels.end());
  config.mutable_linux()->set_cgroup_parent("/" + workspace_.unique_name());
  auto* namespaces =
      config.mutable_linux()->mutable_security_context()->mutable_namespace_options();
  namespaces->set_network(2);
  namespaces->set_pid(1);
  ROSTER_ASSIGN_OR_RETURN(const auto response,
                          Call<cri::RunPodSandboxResponse>("RunPodSandbox", request));
  pods_->by_id[response.pod_sandbox_id()] = config;
  return response.pod_sandbox_id();
}

absl::StatusOr<std::string> CriEngine::RunContainer(const std::string& pod, const std::string& name,
                                                    const std::vector<std::string>& command) {
  const auto found = pods_->by_id.find(pod);
  if (found == pods_->by_id.end()) return absl::NotFoundError("pod " + pod);
  cri::CreateContainerRequest request;
  request.set_pod_sandbox_id(pod);
  *request.mutable_sandbox_config() = found->second;
  cri::ContainerConfig& config = *request.mutable_config();
  config.mutable_metadata()->set_name(name);
  config.mutable_image()->set_image(kImageName);
  config.mutable_image()->set_user_specified_image(kImageName);
  for (const std::string& word : command) config.add_command(word);
  *config.mutable_labels() = found->second.labels();
  (*config.mutable_labels())["io.kubernetes.container.name"] = name;
  config.set_log_path(name + ".log");
  *config.mutable_linux()->mutable_security_context()->mutable_namespace_options() =
      found->second.linux().security_context().namespace_options();
  ROSTER_ASSIGN_OR_RETURN(const auto created,
                          Call<cri::CreateContainerResponse>("CreateContainer", request));
  cri::StartContainerRequest start;
  start.set_container_id(created.container_id());
  ROSTER_RETURN_IF_ERROR(Call<cri::Empty>("StartContainer", start).status());
  return created.container_id();
}

absl::Status CriEngine::RemovePod(const std::string& sandbox_id) {
  cri::PodSandboxRequest request;
  request.set_pod_sandbox_id(sandbox_id);
  ROSTER_RETURN_IF_ERROR(Call<cri::Empty>("StopPodSandbox", request).status());
  ROSTER_RETURN_IF_ERROR(Call<cri::Empty>("RemovePodSandbox", request).status());
  pods_->by_id.erase(sandbox_id);
  return absl::OkStatus();
}

absl::Status CriEngine::StopDaemon() { return StopService(service_); }

absl::Status CriEngine::Stop() {
  absl::Status first;
  std::vector<std::string> ids;
  for (const auto& [id, config] : pods_->by_id) ids.push_back(id);
  for (const std::string& id : ids) first.Update(RemovePod(id));
  channel_.reset();
  first.Update(StopDaemon());
  return first;
}

}  // namespace roster::testing

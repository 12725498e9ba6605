#include "enrich/cri_client.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cri.grpc.pb.h"
#include "enrich/cri_info.h"
#include "enrich/grpc_call.h"
#include "kernel/errors.h"
#include "text/quote.h"

namespace roster {
namespace {

namespace cri = ::runtime::v1;
using Service = cri::RuntimeService;

EngineState StateFrom(cri::ContainerState state) {
  switch (state) {
    case cri::CONTAINER_CREATED:
      return EngineState::kCreated;
    case cri::CONTAINER_RUNNING:
      return EngineState::kRunning;
    case cri::CONTAINER_EXITED:
      return EngineState::kExited;
    default:
      return EngineState::kUnknown;
  }
}

void SetImage(const cri::ImageSpec& image, const std::string& image_ref,
              EngineContainer* container) {
  container->image_name = image.image();
  // containerd answers with the image's id; what was asked for is beside it since Kubernetes 1.29.
  if (absl::StartsWith(container->image_name, "sha256:") && !image.user_specified_image().empty()) {
    container->image_name = image.user_specified_image();
  }
  container->image_id = image_ref;
  const size_t at = image_ref.find('@');
  if (at != std::string::npos) {
    container->image_digest = image_ref.substr(at + 1);
  } else if (const size_t digest = image_ref.find("sha256:"); digest != std::string::npos) {
    container->image_digest = image_ref.substr(digest);
  }
}

// CRI's Container and ContainerStatus have these in common.
template <typename Wire>
EngineContainer FromWire(const Wire& wire, const std::string& runtime_name) {
  EngineContainer container;
  container.id = wire.id();
  container.state = StateFrom(wire.state());
  container.labels = {wire.labels().begin(), wire.labels().end()};
  FillK8sFromLabels(&container);
  SetImage(wire.image(), wire.image_ref(), &container);
  container.name = wire.metadata().name();
  const bool names_itself = runtime_name == "cri-o" || runtime_name == "docker";
  if (names_itself && !container.k8s_pod_name.empty()) {
    container.name = absl::StrCat("k8s_", container.k8s_container_name, "_", container.k8s_pod_name,
                                  "_", container.k8s_namespace, "_", container.k8s_pod_uid, "_",
                                  wire.metadata().attempt());
  }
  return container;
}

}  // namespace

CriClient::CriClient(EngineClientOptions options, std::string runtime_name)
    : EngineClient(options.timeout),
      runtime_name_(std::move(runtime_name)),
      channel_(std::make_unique<GrpcChannel>(std::move(options))) {}

CriClient::~CriClient() = default;

absl::StatusOr<std::vector<EngineContainer>> CriClient::DoList(absl::Time deadline) {
  ROSTER_ASSIGN_OR_RETURN(const auto reply, channel_->Call<Service>(&Service::Stub::ListContainers,
                                                                    cri::ListContainersRequest(),
                                                                    deadline, "ListContainers"));
  std::vector<EngineContainer> containers;
  for (const cri::Container& wire : reply.containers()) {
    if (wire.id().empty()) continue;
    containers.push_back(FromWire(wire, runtime_name_));
    containers.back().sandbox = wire.pod_sandbox_id();
  }
  return containers;
}

absl::Status CriClient::FindSandbox(std::string_view id, absl::Time deadline,
                                    EngineContainer* container) {
  cri::ListPodSandboxRequest request;
  request.mutable_filter()->set_id(std::string(id));
  ROSTER_ASSIGN_OR_RETURN(
      const auto reply,
      channel_->Call<Service>(&Service::Stub::ListPodSandbox, request, deadline, "ListPodSandbox"));
  for (const cri::PodSandbox& sandbox : reply.items()) {
    if (sandbox.id() != id) continue;  // the filter takes prefixes
    container->id = sandbox.id();
    container->is_sandbox = true;
    container->labels = {sandbox.labels().begin(), sandbox.labels().end()};
    container->k8s_pod_name = sandbox.metadata().name();
    container->k8s_namespace = sandbox.metadata().namespace_();
    container->k8s_pod_uid = sandbox.metadata().uid();
    return absl::OkStatus();
  }
  return absl::NotFoundError(
      absl::StrCat(runtime_name_, " has neither container nor sandbox ", QuoteForMessage(id)));
}

absl::StatusOr<EngineContainer> CriClient::DoGet(std::string_view id, absl::Time deadline) {
  cri::ListContainersRequest request;
  request.mutable_filter()->set_id(std::string(id));
  ROSTER_ASSIGN_OR_RETURN(
      const auto reply,
      channel_->Call<Service>(&Service::Stub::ListContainers, request, deadline, "ListContainers"));
  for (const cri::Container& wire : reply.containers()) {
    if (wire.id() != id) continue;  // the filter takes prefixes
    EngineContainer container = FromWire(wire, runtime_name_);
    container.sandbox = wire.pod_sandbox_id();
    return container;
  }
  EngineContainer sandbox;
  ROSTER_RETURN_IF_ERROR(FindSandbox(id, deadline, &sandbox));
  return sandbox;
}

absl::StatusOr<EngineContainer> CriClient::DoDetails(std::string_view id, absl::Time deadline) {
  ROSTER_ASSIGN_OR_RETURN(EngineContainer listed, DoGet(id, deadline));
  if (listed.is_sandbox) return listed;
  cri::ContainerStatusRequest request;
  request.set_container_id(std::string(id));
  request.set_verbose(true);
  ROSTER_ASSIGN_OR_RETURN(
      const auto reply, channel_->Call<Service>(&Service::Stub::ContainerStatus, request, deadline,
                                                "ContainerStatus"));
  if (reply.status().id() != id) {
    return absl::DataLossError(absl::StrCat("ContainerStatus ", QuoteForMessage(id),
                                            ": answered with ",
                                            QuoteForMessage(reply.status().id())));
  }
  EngineContainer container = FromWire(reply.status(), runtime_name_);
  container.sandbox = listed.sandbox;
  container.started_at = std::max<int64_t>(reply.status().started_at(), 0);
  const absl::Status info = FillFromCriInfo({reply.info().begin(), reply.info().end()}, &container);
  // Before its start and after its end there is no process to tell of.
  if (!info.ok() && container.state == EngineState::kRunning) return info;
  if (container.state == EngineState::kExited) container.pid = 0;
  return container;
}

absl::StatusOr<std::map<std::string, std::string>> CriClient::DoPodLabels(
    std::string_view sandbox_id, absl::Time deadline) {
  EngineContainer sandbox;
  ROSTER_RETURN_IF_ERROR(FindSandbox(sandbox_id, deadline, &sandbox));
  return WithoutK8sLabels(std::move(sandbox.labels));
}

}  // namespace roster

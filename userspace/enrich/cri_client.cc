#include "enrich/cri_client.h"

#include "absl/strings/str_cat.h"
#include "cri.grpc.pb.h"
#include "enrich/cri_info.h"
#include "enrich/cri_wire.h"
#include "enrich/grpc_call.h"
#include "kernel/errors.h"
#include "text/quote.h"

namespace roster {
namespace {

namespace cri = ::runtime::v1;
using Service = cri::RuntimeService;

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
    containers.push_back(FromCri(wire, runtime_name_));
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
    *container = FromCriSandbox(sandbox);
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
    return FromCri(wire, runtime_name_);
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
  EngineContainer container = FromCri(reply.status(), runtime_name_);
  container.sandbox = listed.sandbox;
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

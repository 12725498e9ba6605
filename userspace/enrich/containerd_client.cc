#include "enrich/containerd_client.h"

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "containerd.grpc.pb.h"
#include "containerd_content.grpc.pb.h"
#include "containerd_images.grpc.pb.h"
#include "containerd_namespaces.grpc.pb.h"
#include "containerd_tasks.grpc.pb.h"
#include "enrich/containerd_image.h"
#include "enrich/containerd_wire.h"
#include "enrich/grpc_call.h"
#include "kernel/errors.h"
#include "text/quote.h"

namespace roster {
namespace {

namespace containers_v1 = containerd::services::containers::v1;
namespace content_v1 = containerd::services::content::v1;
namespace images_v1 = containerd::services::images::v1;
namespace namespaces_v1 = containerd::services::namespaces::v1;
namespace tasks_v1 = containerd::services::tasks::v1;

constexpr char kDockersNamespace[] = "moby";
constexpr size_t kMaxManifestBytes = 4 << 20;

}  // namespace

ContainerdClient::ContainerdClient(EngineClientOptions options, std::string containerd_namespace)
    : EngineClient(options.timeout),
      namespace_(std::move(containerd_namespace)),
      channel_(std::make_unique<GrpcChannel>(std::move(options))) {}

ContainerdClient::~ContainerdClient() = default;

absl::StatusOr<std::vector<std::string>> ContainerdClient::Namespaces(absl::Time deadline) {
  if (!namespace_.empty()) return std::vector<std::string>{namespace_};
  using Service = namespaces_v1::Namespaces;
  ROSTER_ASSIGN_OR_RETURN(const auto reply, channel_->Call<Service>(&Service::Stub::List, {},
                                                                    deadline, "namespaces/List"));
  std::vector<std::string> names;
  for (const auto& listed : reply.namespaces()) {
    if (listed.name() != kDockersNamespace) names.push_back(listed.name());
  }
  return names;
}

absl::Status ContainerdClient::ListIn(const std::string& in_namespace, absl::Time deadline,
                                      std::vector<EngineContainer>* containers) {
  using Containers = containers_v1::Containers;
  using Tasks = tasks_v1::Tasks;
  ROSTER_ASSIGN_OR_RETURN(const auto listed,
                          channel_->Call<Containers>(&Containers::Stub::List, {}, deadline,
                                                     "containers/List", in_namespace));
  // Without it no state is known: that would read as containers none of which runs.
  ROSTER_ASSIGN_OR_RETURN(const auto tasks, channel_->Call<Tasks>(&Tasks::Stub::List, {}, deadline,
                                                                  "tasks/List", in_namespace));
  absl::flat_hash_map<std::string, const tasks_v1::Process*> processes;
  // In the list, unlike in Get's answer, it is `id` that has the container's.
  for (const tasks_v1::Process& task : tasks.tasks()) {
    processes[task.id().empty() ? task.container_id() : task.id()] = &task;
  }
  for (const containers_v1::Container& wire : listed.containers()) {
    EngineContainer container = FromContainerd(wire);
    if (container.id.empty() || container.is_sandbox) continue;
    const auto process = processes.find(container.id);
    if (process != processes.end()) {
      AddContainerdProcess(*process->second, &container);
    } else {
      container.state = EngineState::kCreated;
    }
    containers->push_back(std::move(container));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<EngineContainer>> ContainerdClient::DoList(absl::Time deadline) {
  ROSTER_ASSIGN_OR_RETURN(const std::vector<std::string> names, Namespaces(deadline));
  std::vector<EngineContainer> containers;
  std::vector<size_t> ends;  // of each namespace among them
  for (const std::string& name : names) {
    ROSTER_RETURN_IF_ERROR(ListIn(name, deadline, &containers));
    ends.push_back(containers.size());
  }
  // Last: they may use up the time, and everything else is there without them.
  size_t i = 0;
  for (size_t n = 0; n < names.size(); ++n) {
    for (; i < ends[n]; ++i) AddImage(names[n], deadline, &containers[i]);
  }
  return containers;
}

absl::StatusOr<EngineContainer> ContainerdClient::Find(std::string_view id, absl::Time deadline,
                                                       std::string* in_namespace) {
  using Service = containers_v1::Containers;
  ROSTER_ASSIGN_OR_RETURN(const std::vector<std::string> names, Namespaces(deadline));
  containers_v1::GetContainerRequest request;
  request.set_id(std::string(id));
  for (const std::string& name : names) {
    absl::StatusOr<containers_v1::GetContainerResponse> reply =
        channel_->Call<Service>(&Service::Stub::Get, request, deadline, "containers/Get", name);
    // An id that containerd would not take is no container either.
    if (absl::IsNotFound(reply.status()) || absl::IsInvalidArgument(reply.status())) continue;
    if (!reply.ok()) return reply.status();
    if (reply->container().id() != id) {
      return absl::DataLossError(absl::StrCat("containers/Get ", QuoteForMessage(id), " in ", name,
                                              ": answered with ",
                                              QuoteForMessage(reply->container().id())));
    }
    *in_namespace = name;
    return FromContainerd(reply->container());
  }
  return absl::NotFoundError(absl::StrCat(
      "containerd has no container ", QuoteForMessage(id),
      namespace_.empty() ? "" : absl::StrCat(" in its namespace ", QuoteForMessage(namespace_))));
}

absl::StatusOr<EngineContainer> ContainerdClient::DoGet(std::string_view id, absl::Time deadline) {
  std::string in_namespace;
  ROSTER_ASSIGN_OR_RETURN(EngineContainer container, Find(id, deadline, &in_namespace));
  AddImage(in_namespace, HalfWay(deadline), &container);
  return container;
}

absl::StatusOr<EngineContainer> ContainerdClient::DoDetails(std::string_view id,
                                                            absl::Time deadline) {
  using Service = tasks_v1::Tasks;
  std::string in_namespace;
  ROSTER_ASSIGN_OR_RETURN(EngineContainer container, Find(id, deadline, &in_namespace));
  tasks_v1::GetRequest request;
  request.set_container_id(std::string(id));
  const absl::StatusOr<tasks_v1::GetResponse> reply =
      channel_->Call<Service>(&Service::Stub::Get, request, deadline, "tasks/Get", in_namespace);
  if (absl::IsNotFound(reply.status())) {
    container.state = EngineState::kCreated;
  } else if (!reply.ok()) {
    return reply.status();
  } else {
    AddContainerdProcess(reply->process(), &container);
  }
  AddImage(in_namespace, deadline, &container);
  return container;
}

absl::StatusOr<std::map<std::string, std::string>> ContainerdClient::DoPodLabels(
    std::string_view sandbox_id, absl::Time deadline) {
  std::string in_namespace;
  ROSTER_ASSIGN_OR_RETURN(EngineContainer sandbox, Find(sandbox_id, deadline, &in_namespace));
  if (!sandbox.is_sandbox) {
    return absl::NotFoundError(
        absl::StrCat("containerd has no sandbox ", QuoteForMessage(sandbox_id)));
  }
  auto labels = WithoutImageLabels(WithoutK8sLabels(std::move(sandbox.labels)));
  labels.erase(kContainerdKindLabel);
  return labels;
}

void ContainerdClient::AddImage(const std::string& in_namespace, absl::Time deadline,
                                EngineContainer* container) {
  if (container->image_name.empty()) return;
  using Service = images_v1::Images;
  images_v1::GetImageRequest request;
  request.set_name(container->image_name);
  const absl::StatusOr<images_v1::GetImageResponse> reply =
      channel_->Call<Service>(&Service::Stub::Get, request, deadline, "images/Get", in_namespace);
  if (!reply.ok()) {
    // The name may have been removed meanwhile.
    if (!absl::IsNotFound(reply.status())) container->image_status = reply.status();
    return;
  }
  const std::string& digest = reply->image().target().digest();
  if (digest.empty()) return;
  const absl::StatusOr<std::string> config =
      config_digests_.Get(digest, [&]() -> absl::StatusOr<std::string> {
        return ConfigDigest(in_namespace, deadline, digest);
      });
  if (absl::IsUnavailable(config.status())) {
    // Not the one without the other: who has a digest asks no more.
    container->image_status = config.status();
    return;
  }
  container->image_digest = digest;
  container->image_id = config.ok() && !config->empty() ? *config : digest;
}

absl::StatusOr<std::string> ContainerdClient::ConfigDigest(const std::string& in_namespace,
                                                           absl::Time deadline,
                                                           const std::string& digest) {
  ROSTER_ASSIGN_OR_RETURN(std::string blob, ReadBlob(in_namespace, deadline, digest));
  ROSTER_ASSIGN_OR_RETURN(ManifestTarget target, ParseManifest(blob));
  if (!target.config.empty()) return target.config;
  ROSTER_ASSIGN_OR_RETURN(blob, ReadBlob(in_namespace, deadline, target.manifest));
  ROSTER_ASSIGN_OR_RETURN(target, ParseManifest(blob));
  return target.config;
}

absl::StatusOr<std::string> ContainerdClient::ReadBlob(const std::string& in_namespace,
                                                       absl::Time deadline,
                                                       const std::string& digest) {
  grpc::ClientContext context;
  channel_->Prepare(&context, deadline, in_namespace);
  content_v1::ReadContentRequest request;
  request.set_digest(digest);
  const auto stub = content_v1::Content::NewStub(channel_->Connected());
  const auto reader = stub->Read(&context, request);
  std::string blob;
  content_v1::ReadContentResponse part;
  bool too_large = false;
  while (reader->Read(&part)) {
    too_large = too_large || part.data().size() > kMaxManifestBytes - blob.size();
    if (too_large) {
      context.TryCancel();  // and read on until the stream ends
    } else {
      blob += part.data();
    }
  }
  const grpc::Status status = reader->Finish();
  if (too_large) {
    return absl::DataLossError(
        absl::StrCat("content/Read ", digest, ": over the limit of ", kMaxManifestBytes, " bytes"));
  }
  if (!status.ok()) return channel_->ToStatus(status, absl::StrCat("content/Read ", digest));
  return blob;
}

}  // namespace roster

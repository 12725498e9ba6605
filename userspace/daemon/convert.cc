#include "daemon/convert.h"

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/strings/string_view.h"
#include "lookup/state_names.h"
#include "text/utf8.h"

namespace roster {

void ToProto(const Container& container, const std::optional<PinFacts>& facts,
             bool include_oci_config, v1::Container* proto) {
  v1::Runtime* runtime = proto->mutable_runtime();
  runtime->set_runtime_name(ToValidUtf8(container.runtime.runtime_name));
  runtime->set_container_id(ToValidUtf8(container.runtime.container_id));
  runtime->set_container_name(ToValidUtf8(container.runtime.container_name));
  runtime->set_container_pid(container.runtime.container_pid);
  runtime->set_container_image_name(ToValidUtf8(container.runtime.container_image_name));
  runtime->set_container_image_id(ToValidUtf8(container.runtime.container_image_id));
  runtime->set_container_image_digest(ToValidUtf8(container.runtime.container_image_digest));
  runtime->set_container_started_at(container.runtime.container_started_at);
  runtime->set_oci_runtime(ToValidUtf8(container.oci_runtime));

  v1::Kubernetes* k8s = proto->mutable_k8s();
  k8s->set_namespace_(ToValidUtf8(container.k8s.namespace_name));
  k8s->set_pod_name(ToValidUtf8(container.k8s.pod_name));
  for (const auto& [key, value] : container.k8s.pod_labels) {
    (*k8s->mutable_pod_labels())[ToValidUtf8(key)] = ToValidUtf8(value);
  }
  k8s->set_container_name(ToValidUtf8(container.k8s.container_name));
  k8s->set_pod_uid(ToValidUtf8(container.k8s.pod_uid));
  if (const OwnerReference* owner = container.k8s.owner.get(); owner != nullptr) {
    k8s->mutable_owner()->set_api_version(ToValidUtf8(owner->api_version));
    k8s->mutable_owner()->set_kind(ToValidUtf8(owner->kind));
    k8s->mutable_owner()->set_name(ToValidUtf8(owner->name));
    k8s->mutable_owner()->set_uid(ToValidUtf8(owner->uid));
    k8s->mutable_owner()->set_controller(owner->controller);
  }

  if (include_oci_config) proto->set_oci_config(container.oci_config);
  proto->set_bundle(ToValidUtf8(container.bundle));
  proto->set_sandbox_id(ToValidUtf8(container.sandbox_id));
  proto->set_mntns(container.mntns);
  proto->set_netns(container.netns);
  proto->set_host_network(container.host_network);
  proto->set_cgroup_path(ToValidUtf8(container.cgroup_path));
  proto->set_cgroup_id(container.cgroup_id);
  proto->set_cgroup_v1(ToValidUtf8(container.cgroup_v1));
  proto->set_cgroup_v2(ToValidUtf8(container.cgroup_v2));
  proto->mutable_pinned()->set_handle(container.handle);
  if (facts.has_value()) {
    proto->mutable_pinned()->set_state(std::string(StateName(facts->state)));
    proto->mutable_pinned()->set_flags(facts->flags);
    proto->mutable_pinned()->set_created_at(static_cast<int64_t>(facts->created_at_ns));
    proto->mutable_pinned()->set_started_at(static_cast<int64_t>(facts->started_at_ns));
  }
}

Container FromProto(const v1::Container& proto) {
  Container container;
  const v1::Runtime& runtime = proto.runtime();
  container.runtime.runtime_name = runtime.runtime_name();
  container.runtime.container_id = runtime.container_id();
  container.runtime.container_name = runtime.container_name();
  container.runtime.container_pid = runtime.container_pid();
  container.runtime.container_image_name = runtime.container_image_name();
  container.runtime.container_image_id = runtime.container_image_id();
  container.runtime.container_image_digest = runtime.container_image_digest();
  container.runtime.container_started_at = runtime.container_started_at();
  container.oci_runtime = runtime.oci_runtime();
  const v1::Kubernetes& k8s = proto.k8s();
  container.k8s.namespace_name = k8s.namespace_();
  container.k8s.pod_name = k8s.pod_name();
  for (const auto& [key, value] : k8s.pod_labels()) container.k8s.pod_labels[key] = value;
  container.k8s.container_name = k8s.container_name();
  container.k8s.pod_uid = k8s.pod_uid();
  if (k8s.has_owner()) {
    container.k8s.owner = std::make_shared<const OwnerReference>(
        OwnerReference{.api_version = k8s.owner().api_version(),
                       .kind = k8s.owner().kind(),
                       .name = k8s.owner().name(),
                       .uid = k8s.owner().uid(),
                       .controller = k8s.owner().controller()});
  }
  container.oci_config = proto.oci_config();
  container.bundle = proto.bundle();
  container.sandbox_id = proto.sandbox_id();
  container.mntns = proto.mntns();
  container.netns = proto.netns();
  container.host_network = proto.host_network();
  container.cgroup_path = proto.cgroup_path();
  container.cgroup_id = proto.cgroup_id();
  container.cgroup_v1 = proto.cgroup_v1();
  container.cgroup_v2 = proto.cgroup_v2();
  container.handle = proto.pinned().handle();
  return container;
}

v1::Event::Type ToProto(EventType type) {
  switch (type) {
    case EventType::kCreated:
      return v1::Event::CREATED;
    case EventType::kDeleted:
      return v1::Event::DELETED;
    case EventType::kPreCreate:
      return v1::Event::PRECREATE;
    case EventType::kUpdated:
      return v1::Event::UPDATED;
  }
  return v1::Event::TYPE_UNSPECIFIED;
}

ContainerSelector FromProto(const v1::Selector& proto) {
  ContainerSelector selector;
  selector.k8s.namespace_name = proto.namespace_();
  selector.k8s.pod_name = proto.pod();
  for (const auto& [key, value] : proto.labels()) selector.k8s.pod_labels[key] = value;
  selector.runtime.container_image_id = proto.image_id();
  selector.runtime.container_image_digest = proto.image_digest();
  selector.where = proto.where();
  return selector;
}

// The codes of absl::Status and gRPC are the same numbers.
grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return grpc::Status(
      static_cast<grpc::StatusCode>(status.code()),
      ToValidUtf8(std::string_view(status.message().data(), status.message().size())));
}

absl::Status FromGrpc(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

}  // namespace roster

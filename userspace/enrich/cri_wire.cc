#include "enrich/cri_wire.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace roster {
namespace {

namespace cri = ::runtime::v1;

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

// What the two have in common.
template <typename Wire>
EngineContainer Common(const Wire& wire, const std::string& runtime_name) {
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

EngineContainer FromCri(const cri::Container& wire, const std::string& runtime_name) {
  EngineContainer container = Common(wire, runtime_name);
  container.sandbox = wire.pod_sandbox_id();
  return container;
}

EngineContainer FromCri(const cri::ContainerStatus& wire, const std::string& runtime_name) {
  EngineContainer container = Common(wire, runtime_name);
  container.started_at = std::max<int64_t>(wire.started_at(), 0);
  return container;
}

EngineContainer FromCriSandbox(const cri::PodSandbox& wire) {
  EngineContainer sandbox;
  sandbox.id = wire.id();
  sandbox.is_sandbox = true;
  sandbox.labels = {wire.labels().begin(), wire.labels().end()};
  sandbox.k8s_pod_name = wire.metadata().name();
  sandbox.k8s_namespace = wire.metadata().namespace_();
  sandbox.k8s_pod_uid = wire.metadata().uid();
  return sandbox;
}

}  // namespace roster

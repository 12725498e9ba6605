#include "enrich/containerd_wire.h"

#include <utility>

#include "enrich/json_fields.h"
#include "runtime/oci_spec.h"

namespace roster {
namespace {

namespace containers_v1 = containerd::services::containers::v1;
namespace tasks_v1 = containerd::services::tasks::v1;

constexpr char kSandboxExtension[] = "io.cri-containerd.sandbox.metadata";
constexpr char kNerdctlNameLabel[] = "nerdctl/name";
constexpr char kSandboxAnnotation[] = "io.kubernetes.cri.sandbox-id";

EngineState StateFrom(tasks_v1::Status status) {
  switch (status) {
    case tasks_v1::CREATED:
      return EngineState::kCreated;
    case tasks_v1::RUNNING:
      return EngineState::kRunning;
    case tasks_v1::PAUSED:
    case tasks_v1::PAUSING:
      return EngineState::kPaused;
    case tasks_v1::STOPPED:
      return EngineState::kExited;
    default:
      return EngineState::kUnknown;
  }
}

// To a sandbox's labels the CRI plugin adds those of its image; what the pod was given is in the
// plugin's own description of it.
void TakePodsLabels(const containers_v1::Container& wire, EngineContainer* sandbox) {
  const auto found = wire.extensions().find(kSandboxExtension);
  if (found == wire.extensions().end()) return;
  const absl::StatusOr<nlohmann::json> description =
      ParseForeignJson(found->second.value(), "containerd's description of a sandbox");
  if (!description.ok()) return;
  const nlohmann::json* metadata = Member(*description, "Metadata");
  const nlohmann::json* config = metadata == nullptr ? nullptr : Member(*metadata, "Config");
  if (config != nullptr) sandbox->labels = StringMapMember(*config, "labels");
}

}  // namespace

void AddContainerdProcess(const tasks_v1::Process& process, EngineContainer* container) {
  container->state = StateFrom(process.status());
  if (container->state != EngineState::kExited && process.pid() <= kMaxPid) {
    container->pid = process.pid();
  }
}

EngineContainer FromContainerd(const containers_v1::Container& wire) {
  EngineContainer container;
  container.id = wire.id();
  container.image_name = wire.image();
  container.labels = {wire.labels().begin(), wire.labels().end()};
  container.snapshot = wire.snapshot_key();
  container.oci_runtime = wire.runtime().name();
  container.sandbox = wire.sandbox();
  FillK8sFromLabels(&container);
  container.is_sandbox = wire.labels().contains(kContainerdKindLabel) &&
                         wire.labels().at(kContainerdKindLabel) == "sandbox";
  if (container.is_sandbox) TakePodsLabels(wire, &container);
  container.name = container.k8s_container_name;
  if (container.name.empty() && wire.labels().contains(kNerdctlNameLabel)) {
    container.name = wire.labels().at(kNerdctlNameLabel);
  }
  if (container.name.empty()) container.name = container.id;
  absl::StatusOr<OciSpec> spec = ParseOciSpec(wire.spec().value());
  if (!spec.ok()) return container;  // not a Linux container's, or broken
  container.mounts = std::move(spec->mounts);
  container.cgroup_path = std::move(spec->cgroups_path);
  if (container.sandbox.empty()) container.sandbox = spec->Annotation(kSandboxAnnotation);
  return container;
}

}  // namespace roster

#include "runtime/metadata.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "text/string_view.h"

namespace roster {
namespace {

// What one engine calls the things that both containerd's CRI plugin and CRI-O write.
struct AnnotationNames {
  const char* pod_name;
  const char* pod_namespace;
  const char* pod_uid;
  const char* container_name;
  const char* container_type;
  const char* image_name;
  const char* sandbox_id;
};

constexpr AnnotationNames kContainerd = {
    "io.kubernetes.cri.sandbox-name",   "io.kubernetes.cri.sandbox-namespace",
    "io.kubernetes.cri.sandbox-uid",    "io.kubernetes.cri.container-name",
    "io.kubernetes.cri.container-type", "io.kubernetes.cri.image-name",
    "io.kubernetes.cri.sandbox-id",
};
constexpr AnnotationNames kCrio = {
    "io.kubernetes.pod.name",
    "io.kubernetes.pod.namespace",
    "io.kubernetes.pod.uid",
    "io.kubernetes.container.name",
    "io.kubernetes.cri-o.ContainerType",
    "io.kubernetes.cri-o.ImageName",
    "io.kubernetes.cri-o.SandboxID",
};

template <typename Text>
void Overwrite(std::string_view value, Text* field) {
  if (!value.empty()) *field = value;
}

ContainerKind FillFromCri(const OciSpec& spec, const AnnotationNames& names, Container* container) {
  Overwrite(spec.Annotation(names.pod_name), &container->k8s.pod_name);
  Overwrite(spec.Annotation(names.pod_namespace), &container->k8s.namespace_name);
  Overwrite(spec.Annotation(names.pod_uid), &container->k8s.pod_uid);
  Overwrite(spec.Annotation(names.container_name), &container->k8s.container_name);
  Overwrite(spec.Annotation(names.image_name), &container->runtime.container_image_name);
  Overwrite(spec.Annotation(names.sandbox_id), &container->sandbox_id);
  return spec.Annotation(names.container_type) == "sandbox" ? ContainerKind::kSandbox
                                                            : ContainerKind::kContainer;
}

bool IsHexId(absl::string_view id) {
  return id.size() == 64 && std::all_of(id.begin(), id.end(), [](unsigned char c) {
           return absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f');
         });
}

// <data-root>/containers/<64 hex>/{hostname,hosts,resolv.conf} on the file of that name in /etc.
bool IsDockersMount(absl::string_view source, absl::string_view destination) {
  const std::vector<absl::string_view> parts = absl::StrSplit(source, '/');
  if (parts.size() < 4 || parts[parts.size() - 3] != "containers") return false;
  const absl::string_view name = parts.back();
  if (name != "hostname" && name != "hosts" && name != "resolv.conf") return false;
  return IsHexId(parts[parts.size() - 2]) &&
         destination == std::string("/etc/").append(name.data(), name.size());
}

bool HasDockersMounts(const OciSpec& spec) {
  return std::any_of(spec.mounts.begin(), spec.mounts.end(),
                     [](const auto& mount) { return IsDockersMount(mount.first, mount.second); });
}

}  // namespace

ContainerKind FillFromSpec(const OciSpec& spec, Container* container) {
  const std::string_view manager = spec.Annotation("io.container.manager");
  if (manager == "cri-o") {
    container->runtime.runtime_name = "cri-o";
    return FillFromCri(spec, kCrio, container);
  }
  if (manager == "libpod") {
    // Podman writes CRI-O's sandbox annotations for its pods too, but its infra container is listed
    // like any other.
    container->runtime.runtime_name = "podman";
    Overwrite(spec.Annotation(kCrio.sandbox_id), &container->sandbox_id);
    return ContainerKind::kContainer;
  }
  if (spec.annotations.find(kContainerd.container_type) != spec.annotations.end()) {
    container->runtime.runtime_name = "containerd";
    return FillFromCri(spec, kContainerd, container);
  }
  const ContainerdTaskPath task = ParseContainerdTaskPath(container->bundle);
  if (task.containerd_namespace == "moby" || HasDockersMounts(spec)) {
    container->runtime.runtime_name = "docker";
  } else if (!task.containerd_namespace.empty()) {
    container->runtime.runtime_name = "containerd";
  }
  return ContainerKind::kContainer;
}

ContainerdTaskPath ParseContainerdTaskPath(std::string_view path) {
  const std::vector<absl::string_view> parts = absl::StrSplit(ToAbsl(path), '/', absl::SkipEmpty());
  if (parts.size() < 3) return {};
  const absl::string_view plugin = parts[parts.size() - 3];
  if (plugin != "io.containerd.runtime.v2.task" && plugin != "io.containerd.runtime.v1.linux")
    return {};
  return {std::string(parts[parts.size() - 2]), std::string(parts.back())};
}

}  // namespace roster

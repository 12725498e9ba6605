// FillFromSpec takes from a bundle what Kubernetes, CRI-O, containerd, Docker and Podman write into
// it.
#ifndef ROSTER_USERSPACE_RUNTIME_METADATA_H_
#define ROSTER_USERSPACE_RUNTIME_METADATA_H_

#include <roster/container.h>

#include <string>
#include <string_view>

#include "runtime/oci_spec.h"

namespace roster {

// A sandbox holds a pod's namespaces and is no container of its own (the "pause" process).
enum class ContainerKind { kContainer, kSandbox };

// Fills `container` from the annotations of containerd's CRI plugin, CRI-O and libpod; a non-empty
// annotation overwrites. runtime_name becomes "cri-o", "containerd" or "podman" by annotation;
// "docker" where the spec binds <data-root>/containers/<64 hex>/{hostname,hosts,resolv.conf}, or
// where container->bundle lies in containerd's namespace "moby"; "containerd" where it lies in
// another one (ctr, nerdctl). Otherwise runtime_name stays as it is.
ContainerKind FillFromSpec(const OciSpec& spec, Container* container);

// The parts of a containerd task directory, .../io.containerd.runtime.v2.task/<namespace>/<id>;
// empty when `path` is none.
struct ContainerdTaskPath {
  std::string containerd_namespace;
  std::string id;
};
ContainerdTaskPath ParseContainerdTaskPath(std::string_view path);

}  // namespace roster

#endif  // ROSTER_USERSPACE_RUNTIME_METADATA_H_

// Container is the description of one container: who it is and where the kernel has it.
//
// The names of the JSON fields and the rules below are those of Inspektor Gadget's
// container-collection, which this library can stand in for; roster/json.h reads and writes its
// JSON.
#ifndef ROSTER_CONTAINER_H_
#define ROSTER_CONTAINER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "roster/labels.h"
#include "roster/shared_text.h"

namespace roster {

class OwnerSource;

// What the container runtime or engine says of the container.
struct RuntimeMetadata {
  std::string
      runtime_name;  // "docker", "containerd", "cri-o", "podman", else the OCI runtime; "": unknown
  std::string container_id;
  std::string container_name;
  uint32_t container_pid = 0;  // init's pid in the host's pid namespace; 0: unknown
  SharedText container_image_name;
  SharedText container_image_id;
  SharedText container_image_digest;
  int64_t container_started_at = 0;  // nanoseconds since the epoch; 0: unknown

  // Nothing is left to ask an engine for: the runtime is known ("unknown" is not known), and so are
  // id, name, image name and image digest.
  bool IsEnriched() const;

  bool operator==(const RuntimeMetadata&) const = default;
};

// The Kubernetes object that a pod belongs to in the end: a Deployment, a DaemonSet, ...
struct OwnerReference {
  std::string api_version;  // "apps/v1"
  std::string kind;         // "Deployment"
  std::string name;
  std::string uid;
  bool controller = false;

  bool operator==(const OwnerReference&) const = default;
};

// What Kubernetes says of it; empty outside Kubernetes.
struct K8sMetadata {
  std::string namespace_name;
  std::string pod_name;
  Labels pod_labels;
  std::string container_name;
  SharedText pod_uid;
  std::shared_ptr<const OwnerReference> owner;  // nullptr: not (yet) known; never in the JSON

  // Namespace, pod, container name and at least one label are known. A pod without labels is
  // therefore never "enriched": the reference cannot tell it from one whose labels nobody has asked
  // for, nor can we.
  bool IsEnriched() const;

  // Owners are compared by value.
  bool operator==(const K8sMetadata& other) const;
};

// The numbers come first: a look-up then finds its key, the reference count and the answer in one
// cache line. The pod comes last, beside what leads to the pod's other containers.
struct Container {
  uint64_t mntns = 0;  // inode numbers; 0: unknown
  uint64_t netns = 0;
  uint64_t cgroup_id = 0;  // 0: unknown
  uint64_t handle = 0;     // the container's handle in the pinned maps; 0: not mirrored
  roster::RuntimeMetadata runtime;
  // Raw text of config.json; "": unknown. Parsed: OciSpec() in roster/json.h.
  SharedText oci_config;
  SharedText bundle;  // directory of config.json, as the host's root sees it
  SharedText sandbox_id;
  SharedText cgroup_path;  // path of the cgroup directory on the host
  SharedText cgroup_v1;
  SharedText cgroup_v2;
  SharedText oci_runtime;  // "runc", "crun", ...; "": unknown
  bool host_network = false;
  roster::K8sMetadata k8s;

  bool operator==(const Container&) const = default;

  // The reference API's accessors.
  const roster::K8sMetadata& K8sMetadata() const { return k8s; }
  const roster::RuntimeMetadata& RuntimeMetadata() const { return runtime; }
  bool UsesHostNetwork() const { return host_network; }
  uint32_t ContainerPid() const { return runtime.container_pid; }
  const OwnerReference* K8sOwnerReference() const { return k8s.owner.get(); }
  void SetPodLabels(Labels labels) { k8s.pod_labels = std::move(labels); }
  // "k=v,k2=v2", sorted by key; "" without labels.
  std::string K8sPodLabelsAsString() const;

  // The owner at the top of the pod's chain: the one already known, else the one that `source`
  // leads to, else nullopt when the pod has none. May block for as long as `source` does. The
  // container is not changed: ContainerCollection::LookupOwnerReferenceByMntns remembers the
  // answer. Where the chain breaks off with an error, the highest owner found so far is returned;
  // with none found, the error is.
  absl::StatusOr<std::optional<OwnerReference>> GetOwnerReference(OwnerSource& source) const;
};

// A container that has been handed out never changes: an update makes a new one.
using ContainerPtr = std::shared_ptr<const Container>;

// True when both describe the same container: the same id, and no contradiction in what the kernel
// says of them. Two engines may use one id: their containers differ in handle, or while one has no
// handle, in mntns, or while that is not known of both, in pid.
bool SameContainer(const Container& a, const Container& b);

// INVALID_ARGUMENT unless `id` is non-empty, has only [A-Za-z0-9_+.-] and is neither "." nor "..":
// an id is used as a file name. There is no limit of length.
absl::Status ValidateContainerID(std::string_view id);

// "docker://4f3a..." or "4f3a..." to "4f3a...". INVALID_ARGUMENT for another runtime than
// `expected_runtime` and for an invalid id.
absl::StatusOr<std::string> ParseContainerID(std::string_view expected_runtime,
                                             std::string_view id);

// What follows the first "//"; "" when there is none.
std::string TrimRuntimePrefix(std::string_view id);

}  // namespace roster

#endif  // ROSTER_CONTAINER_H_

// Container is the description of one container: who it is and where the kernel has it.
#ifndef ROSTER_CONTAINER_H_
#define ROSTER_CONTAINER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace roster {

// What the container runtime or engine says of the container.
struct RuntimeMetadata {
  std::string runtime_name;            // "docker", "containerd", "cri-o", "podman", else the OCI runtime; "": unknown
  std::string container_id;
  std::string container_name;
  uint32_t container_pid = 0;          // init's pid in the host's pid namespace; 0: unknown
  std::string container_image_name;
  std::string container_image_id;
  std::string container_image_digest;
  int64_t container_started_at = 0;    // nanoseconds since the epoch; 0: unknown

  bool operator==(const RuntimeMetadata&) const = default;
};

// What Kubernetes says of it; empty outside Kubernetes.
struct K8sMetadata {
  std::string namespace_name;
  std::string pod_name;
  std::map<std::string, std::string> pod_labels;
  std::string container_name;
  std::string pod_uid;

  bool operator==(const K8sMetadata&) const = default;
};

struct Container {
  RuntimeMetadata runtime;
  K8sMetadata k8s;
  std::string oci_config;              // raw text of config.json; "": unknown
  std::string bundle;                  // directory of config.json, as the host's root sees it
  std::string sandbox_id;
  uint64_t mntns = 0;                  // inode numbers; 0: unknown
  uint64_t netns = 0;
  bool host_network = false;
  std::string cgroup_path;             // path of the cgroup directory on the host
  uint64_t cgroup_id = 0;
  std::string cgroup_v1;
  std::string cgroup_v2;
  uint64_t handle = 0;                 // the container's handle in the pinned maps; 0: not mirrored
  std::string oci_runtime;             // "runc", "crun", ...; "": unknown
};

// A container that has been handed out never changes: an update makes a new one.
using ContainerPtr = std::shared_ptr<const Container>;

}  // namespace roster

#endif  // ROSTER_CONTAINER_H_

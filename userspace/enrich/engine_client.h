// EngineClient asks one container engine (dockerd, containerd, podman, CRI-O) about its containers.
//
//   DockerClient docker({.socket = "/run/docker.sock"});
//   absl::StatusOr<EngineContainer> container = docker.Get(id);
//   if (container.ok()) MergeEngineContainer(docker.Name(), *container, &known);
//
// Never call one while a runtime of that engine is held at its exec by this process: dockerd and
// podman wait for their runtime with the container's lock taken, and would wait for us while we
// wait for them. What is needed at the hold comes from files (enricher.h).
#ifndef ROSTER_USERSPACE_ENRICH_ENGINE_CLIENT_H_
#define ROSTER_USERSPACE_ENRICH_ENGINE_CLIENT_H_

#include <roster/container.h>
#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace roster {

// The labels with which kubelet tells engines whose container it is.
inline constexpr char kK8sContainerNameLabel[] = "io.kubernetes.container.name";
inline constexpr char kK8sPodNameLabel[] = "io.kubernetes.pod.name";
inline constexpr char kK8sPodNamespaceLabel[] = "io.kubernetes.pod.namespace";
inline constexpr char kK8sPodUidLabel[] = "io.kubernetes.pod.uid";

// Docker's "dead" counts as exited. Its "restarting" has no process, which has ended and is about
// to be started again, and counts as unknown, as does "removing".
enum class EngineState { kUnknown, kCreated, kRunning, kPaused, kExited };
std::string_view EngineStateName(EngineState state);

struct EngineContainer {
  std::string id;
  std::string name;
  EngineState state = EngineState::kUnknown;
  uint32_t pid = 0;        // init's, as the engine's pid namespace sees it; 0: unknown, none
  std::string image_name;  // "docker.io/library/busybox:1"; may be an image id
  std::string image_id;    // "sha256:..." (docker, containerd), bare hex (podman), reference (CRI)
  std::string image_digest;   // "sha256:..."; "" where the image came from no registry
  absl::Status image_status;  // why the two above are not there, where they may be another time
  int64_t started_at = 0;     // nanoseconds since the epoch; 0: unknown

  std::string k8s_namespace;
  std::string k8s_pod_name;
  std::string k8s_pod_uid;
  std::string k8s_container_name;

  std::map<std::string, std::string> labels;  // the container's own, the four above included
  std::string sandbox;                        // id of the pod's sandbox; "": none, or not known
  bool is_sandbox = false;                    // a pod's "pause"; no container of its own

  std::vector<std::pair<std::string, std::string>> mounts;  // source, destination
  std::string cgroup_path;                                  // as the engine writes it
  std::string snapshot;                                     // containerd's snapshot key
  std::string oci_runtime;                                  // "io.containerd.runc.v2", "runc", ""

  bool operator==(const EngineContainer&) const = default;
};

struct EngineClientOptions {
  std::string socket;                         // absolute path of a unix socket
  absl::Duration timeout = absl::Seconds(2);  // of each call, whatever it asks for
  size_t max_reply_bytes = 8 << 20;           // of each reply; more is DATA_LOSS
  std::string proc_root = "/proc";            // in which the engine's pids are found
};

// Every call blocks until its deadline at most, all of the requests that it makes included: without
// one, the client's timeout from now. It may be made from any thread. Errors:
//   NOT_FOUND    the engine is there and has no such container
//   UNAVAILABLE  no answer: the engine is away, restarting, or too slow; worth trying again later
//   DATA_LOSS    an answer that is none: garbage, cut off, over the limit, a needed field missing
//   FAILED_PRECONDITION  there is no libcurl, by which docker and podman are asked
// Fields of a wrong type or absent are left empty; only without an id is a container no answer.
class EngineClient {
 public:
  virtual ~EngineClient() = default;

  // "docker", "containerd", "podman", "cri-o": what becomes RuntimeMetadata::runtime_name.
  virtual std::string Name() const = 0;

  absl::Time Deadline() const { return absl::Now() + timeout_; }

  // All containers, those that do not run included; sandboxes are left out. One that the engine
  // describes badly is skipped.
  absl::StatusOr<std::vector<EngineContainer>> List() { return DoList(Deadline()); }

  // Names, image, labels: what the engine has in its tables. Asks nothing that needs a container's
  // lock or its task, so pid may be 0 and state a guess. `id` is complete, never a prefix. A
  // sandbox is returned with is_sandbox set.
  absl::StatusOr<EngineContainer> Get(std::string_view id) { return Get(id, Deadline()); }
  absl::StatusOr<EngineContainer> Get(std::string_view id, absl::Time deadline) {
    return DoGet(id, deadline);
  }

  // Get, and pid, state, start time, mounts and cgroup. Can wait for the container's lock.
  absl::StatusOr<EngineContainer> Details(std::string_view id) { return DoDetails(id, Deadline()); }

  // The labels of a pod without the four of kubelet's; empty where it has none.
  absl::StatusOr<std::map<std::string, std::string>> PodLabels(std::string_view sandbox_id) {
    return PodLabels(sandbox_id, Deadline());
  }
  absl::StatusOr<std::map<std::string, std::string>> PodLabels(std::string_view sandbox_id,
                                                               absl::Time deadline) {
    return DoPodLabels(sandbox_id, deadline);
  }

 protected:
  explicit EngineClient(absl::Duration timeout) : timeout_(timeout) {}

  // For a request of Get's that can be done without: the other half is for what is asked with the
  // same deadline after it.
  static absl::Time HalfWay(absl::Time deadline) { return deadline - (deadline - absl::Now()) / 2; }

 private:
  virtual absl::StatusOr<std::vector<EngineContainer>> DoList(absl::Time deadline) = 0;
  virtual absl::StatusOr<EngineContainer> DoGet(std::string_view id, absl::Time deadline) = 0;
  virtual absl::StatusOr<EngineContainer> DoDetails(std::string_view id, absl::Time deadline) = 0;
  virtual absl::StatusOr<std::map<std::string, std::string>> DoPodLabels(
      std::string_view sandbox_id, absl::Time deadline) = 0;

  const absl::Duration timeout_;
};

// Sets k8s_* from the four labels.
void FillK8sFromLabels(EngineContainer* container);

// `labels` without the four of kubelet's.
std::map<std::string, std::string> WithoutK8sLabels(std::map<std::string, std::string> labels);
// `labels` without those that containerd's tools copy from an image's configuration.
std::map<std::string, std::string> WithoutImageLabels(std::map<std::string, std::string> labels);

// Gives `container` what it does not have yet: id, runtime name ("unknown" counts as none),
// container name, image name, id and digest, pid, start time, Kubernetes fields, sandbox. Nothing
// that is there is changed. Outside a pod the container's own labels become pod_labels, so that
// selectors find them; in one they would be the pod's only in part, see PodLabels. Bytes that are
// no UTF-8 become U+FFFD. Returns whether anything changed.
bool MergeEngineContainer(std::string_view runtime_name, const EngineContainer& from,
                          Container* container);

// Gives a pod without labels these, as above. Returns whether it did.
bool GiveLabels(const Labels& labels, K8sMetadata* k8s);

// Gives `to` what it does not have yet and `from`, a later description of the same container, has:
// runtime, Kubernetes fields, labels, owner, sandbox. Returns whether anything changed.
bool GiveMissing(const Container& from, Container* to);

}  // namespace roster

#endif  // ROSTER_USERSPACE_ENRICH_ENGINE_CLIENT_H_

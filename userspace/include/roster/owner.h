// WalkOwners follows a pod's owner references up to the object that a person created.
#ifndef ROSTER_OWNER_H_
#define ROSTER_OWNER_H_

#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "roster/container.h"

namespace roster {

// Where owner references come from: the Kubernetes API, or given objects in a test. Implementations
// may be called from several threads at once.
class OwnerSource {
 public:
  virtual ~OwnerSource() = default;

  // metadata.ownerReferences of one object. `api_version` is "v1" or "group/version", `resource`
  // the plural
  // ("pods", "replicasets").
  virtual absl::StatusOr<std::vector<OwnerReference>> OwnerReferences(
      std::string_view api_version, std::string_view resource, std::string_view namespace_name,
      std::string_view name) = 0;
};

struct OwnerWalk {
  std::optional<OwnerReference> owner;  // the highest one found
  absl::Status status;                  // why the walk ended before the top, if it did
};

// Starts at v1/pods/<pod>. At each level the controller of an expected kind is taken, else the
// first of an expected kind, else the walk is over. Expected: Deployment, ReplicaSet, StatefulSet,
// DaemonSet, Job, CronJob, ReplicationController. An error half-way keeps what has been found (the
// reference loses it). A chain of more than 16 owners is an error: it is a cycle.
OwnerWalk WalkOwners(OwnerSource& source, std::string_view namespace_name, std::string_view pod);

}  // namespace roster

#endif  // ROSTER_OWNER_H_

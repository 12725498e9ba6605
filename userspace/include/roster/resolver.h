// ContainerResolver is what a consumer needs of a collection of containers: look-ups and
// subscriptions.
//
// ContainerCollection implements it; a test or another source of containers can too.
#ifndef ROSTER_RESOLVER_H_
#define ROSTER_RESOLVER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "roster/container.h"
#include "roster/pod_map.h"
#include "roster/pubsub.h"
#include "roster/selector.h"

namespace roster {

class ContainerResolver {
 public:
  virtual ~ContainerResolver() = default;

  // Inode of the container's mount namespace; 0 when not found.
  virtual uint64_t LookupMntnsByContainer(std::string_view namespace_name, std::string_view pod,
                                          std::string_view container) const = 0;
  // nullptr when not found.
  virtual ContainerPtr LookupContainerByMntns(uint64_t mntns) const = 0;
  // In the order in which they were added; empty when none.
  virtual std::vector<ContainerPtr> LookupContainersByNetns(uint64_t netns) const = 0;
  // Container name within the pod to mount namespace; empty when not found.
  virtual PodMap<uint64_t> LookupMntnsByPod(std::string_view namespace_name,
                                            std::string_view pod) const = 0;
  // 0 when not found.
  virtual uint32_t LookupPIDByContainer(std::string_view namespace_name, std::string_view pod,
                                        std::string_view container) const = 0;
  virtual PodMap<uint32_t> LookupPIDByPod(std::string_view namespace_name,
                                          std::string_view pod) const = 0;
  // nullopt when there is no such container, it has no owner, or the owner cannot be learned now.
  // May block.
  virtual std::optional<OwnerReference> LookupOwnerReferenceByMntns(uint64_t mntns) = 0;

  // In no particular order. INVALID_ARGUMENT when the selector does not parse.
  virtual absl::StatusOr<std::vector<ContainerPtr>> GetContainersBySelector(
      const ContainerSelector& selector) const = 0;

  // Registers `callback` for the containers that match, and returns those there are now. A
  // container is either in the list or announced. FAILED_PRECONDITION when nothing is ever
  // published here.
  virtual absl::StatusOr<std::vector<ContainerPtr>> Subscribe(std::string_view key,
                                                              const ContainerSelector& selector,
                                                              FuncNotify callback) = 0;
  virtual absl::Status Unsubscribe(std::string_view key) = 0;
};

}  // namespace roster

#endif  // ROSTER_RESOLVER_H_

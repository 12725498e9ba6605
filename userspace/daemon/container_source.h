// ContainerSource is where the gRPC service gets its containers from: the collection, in tests a
// list.
#ifndef ROSTER_USERSPACE_DAEMON_CONTAINER_SOURCE_H_
#define ROSTER_USERSPACE_DAEMON_CONTAINER_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "roster/container.h"
#include "roster/pubsub.h"
#include "roster/selector.h"

namespace roster {

// What the pinned maps know of a container and its description does not say.
struct PinFacts {
  uint32_t state = 0;  // enum roster_state
  uint32_t flags = 0;  // ROSTER_F_*
  uint64_t created_at_ns = 0;
  uint64_t started_at_ns = 0;
};

// Thread-safe. The methods of the same name of ContainerCollection say what each does.
class ContainerSource {
 public:
  virtual ~ContainerSource() = default;
  virtual absl::StatusOr<std::vector<ContainerPtr>> List(const ContainerSelector& selector) = 0;
  virtual absl::StatusOr<ContainerPtr> GetByIdPrefix(std::string_view prefix) = 0;
  virtual absl::StatusOr<std::vector<ContainerPtr>> Subscribe(std::string_view key,
                                                              const ContainerSelector& selector,
                                                              FuncNotify callback) = 0;
  virtual void Unsubscribe(std::string_view key) = 0;
  virtual size_t Count() = 0;
  // nullopt: not in the pins (any more).
  virtual std::optional<PinFacts> Facts(uint64_t handle) = 0;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_DAEMON_CONTAINER_SOURCE_H_

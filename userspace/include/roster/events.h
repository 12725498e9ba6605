// CommonData is the part of a tracer's event that says which container it happened in.
#ifndef ROSTER_EVENTS_H_
#define ROSTER_EVENTS_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "roster/container.h"

namespace roster {

// The texts are views into `source`, which is held here, or (when filled in by a caller) into what
// the caller keeps alive. Copying a CommonData copies no text but the node's name.
struct CommonData {
  struct Runtime {
    std::string_view runtime_name;
    std::string_view container_id;
    std::string_view container_name;
    std::string_view container_image_name;
    std::string_view container_image_digest;
  };
  struct K8s {
    std::string node;
    std::string_view namespace_name;
    std::string_view pod_name;
    std::string_view container_name;
    const std::map<std::string, std::string>* pod_labels = nullptr;  // nullptr: none
    bool host_network = false;
    OwnerReference owner;  // only kind and name are used, and only when the caller sets them
  };

  Runtime runtime;
  K8s k8s;
  ContainerPtr source;  // nullptr: not enriched
};

// An event that knows how to take a container's metadata. `container` may be kept.
class EnrichableEvent {
 public:
  virtual ~EnrichableEvent() = default;
  virtual void SetNode(std::string_view node) = 0;
  // The event happened in this container.
  virtual void SetContainerMetadata(const ContainerPtr& container) = 0;
  // It happened in this container's pod; which of its containers is not known.
  virtual void SetPodMetadata(const ContainerPtr& container) = 0;
};

class ContainerInfoFromMountNSID : public EnrichableEvent {
 public:
  virtual uint64_t GetMountNSID() const = 0;
};

class ContainerInfoFromNetNSID : public EnrichableEvent {
 public:
  virtual uint64_t GetNetNSID() const = 0;
};

}  // namespace roster

#endif  // ROSTER_EVENTS_H_

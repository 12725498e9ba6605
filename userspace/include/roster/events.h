// CommonData is the part of a tracer's event that says which container it happened in.
#ifndef ROSTER_EVENTS_H_
#define ROSTER_EVENTS_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "roster/container.h"

namespace roster {

// It holds the container and copies nothing of it: each text is looked up when it is asked for, and
// is empty when it is not known of this event. Cheap to make for every event and to throw away.
// Texts live as long as `source` is held, `node` as long as the collection.
struct CommonData {
  enum class Scope {
    kNone,       // not enriched, or only by node and host network
    kPod,        // in this container's pod; which of its containers is not known
    kContainer,  // in this container
  };

  std::string_view node;
  bool host_network = false;
  Scope scope = Scope::kNone;
  ContainerPtr source;  // nullptr with kNone

  // Known of the pod.
  std::string_view runtime_name() const {
    return source == nullptr ? std::string_view() : source->runtime.runtime_name;
  }
  std::string_view namespace_name() const {
    return source == nullptr ? std::string_view() : source->k8s.namespace_name;
  }
  std::string_view pod_name() const {
    return source == nullptr ? std::string_view() : source->k8s.pod_name;
  }
  // nullptr: none.
  const Labels* pod_labels() const {
    return source == nullptr || source->k8s.pod_labels.empty() ? nullptr : &source->k8s.pod_labels;
  }
  const OwnerReference* owner() const {
    return source == nullptr ? nullptr : source->k8s.owner.get();
  }

  // Known only of the container. Pid, image id and start time are in `source`; the reference's
  // events lack them.
  std::string_view k8s_container_name() const {
    return OfContainer(&Container::k8s, &K8sMetadata::container_name);
  }
  std::string_view container_name() const {
    return OfContainer(&Container::runtime, &RuntimeMetadata::container_name);
  }
  std::string_view container_id() const {
    return OfContainer(&Container::runtime, &RuntimeMetadata::container_id);
  }
  std::string_view container_image_name() const {
    return OfContainer(&Container::runtime, &RuntimeMetadata::container_image_name);
  }
  std::string_view container_image_digest() const {
    return OfContainer(&Container::runtime, &RuntimeMetadata::container_image_digest);
  }

 private:
  template <typename Part, typename Text>
  std::string_view OfContainer(Part Container::*part, Text Part::*text) const {
    return scope == Scope::kContainer ? std::string_view((*source).*part.*text) : "";
  }
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

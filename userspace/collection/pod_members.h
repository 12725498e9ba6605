// PodMembers is what look-ups by pod answer with: the names, mount namespaces and pids of a pod's
// containers in one piece of memory. The containers themselves lie all over it.
#ifndef ROSTER_USERSPACE_COLLECTION_POD_MEMBERS_H_
#define ROSTER_USERSPACE_COLLECTION_POD_MEMBERS_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "collection/entry.h"
#include "collection/index.h"

namespace roster::collection_internal {

struct PodKey {
  std::string_view namespace_name;
  std::string_view name;
  bool operator==(const PodKey&) const = default;
};
inline PodKey PodKeyOf(const Entry& entry) {
  return {entry.container.k8s.namespace_name, entry.container.k8s.pod_name};
}
inline uint64_t HashKey(const PodKey& pod) { return HashKey(pod.namespace_name, pod.name); }

// Never changed: a pod that gains or loses a container gets another. It is its own place in the
// index by pod. A change costs the length of the pod.
class PodMembers : public Link {
 public:
  struct Member {
    const Entry* entry;
    uint64_t mntns;
    uint32_t pid;
    uint32_t name_size : 31;
    // One of the same name joined later: only that one counts.
    uint32_t hidden : 1;
  };

  // The containers of `old` (nullptr: none) without `leaving`, with `joining`; either may be
  // nullptr. In the order of the names, equal names in that of joining; who joins under the name of
  // who leaves takes its place. nullptr when nobody is left. To be freed with Free.
  static PodMembers* New(const PodMembers* old, const Entry* leaving, const Entry* joining);
  static void Free(void* members);

  size_t size() const { return size_; }
  PodKey key() const {
    const char* text = reinterpret_cast<const char*>(this + 1);
    return {{text, namespace_size_}, {text + namespace_size_, pod_size_}};
  }

  // visit(name, member); the name is valid as long as this object.
  template <typename Visit>
  void ForEach(Visit visit) const {
    const auto* const members = reinterpret_cast<const Member*>(
        reinterpret_cast<const char*>(this + 1) + KeySpace(namespace_size_ + pod_size_));
    const char* name = reinterpret_cast<const char*>(members + size_);
    for (const Member* member = members; member != members + size_; ++member) {
      visit(std::string_view(name, member->name_size), *member);
      name += member->name_size;
    }
  }

 private:
  PodMembers(size_t size, const PodKey& pod)
      : size_(size),
        namespace_size_(static_cast<uint32_t>(pod.namespace_name.size())),
        pod_size_(static_cast<uint32_t>(pod.name.size())) {}

  static size_t KeySpace(size_t text) { return (text + alignof(Member) - 1) & -alignof(Member); }

  // The object is followed by the texts of its key, the members and their names.
  const size_t size_;
  const uint32_t namespace_size_;
  const uint32_t pod_size_;
};

struct PodTraits {
  using Key = PodKey;
  static Key KeyOf(const Link* link) { return static_cast<const PodMembers*>(link)->key(); }
};

}  // namespace roster::collection_internal

#endif  // ROSTER_USERSPACE_COLLECTION_POD_MEMBERS_H_

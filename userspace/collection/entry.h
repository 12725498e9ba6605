// Entry is a container within a collection, with its places in the collection's indexes.
#ifndef ROSTER_USERSPACE_COLLECTION_ENTRY_H_
#define ROSTER_USERSPACE_COLLECTION_ENTRY_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "collection/index.h"
#include "roster/container.h"

namespace roster::collection_internal {

// Which link of an entry is in which index.
enum IndexNumber : size_t {
  kPod,
  kMntns,
  kNetns,
  kId,
  kAll,
  kCgroup,
  kPid,
  kHandle,
  kPodUid,
  kNamespace,
  kContainerName,  // the name within the pod
  kRuntimeContainerName,
  kRuntime,
  kIndexes,
};

struct Entry;

// An entry's place under one of its labels.
struct LabelLink : Link {
  Entry* owner = nullptr;
};

struct Entry {
  explicit Entry(Container&& c);

  // Makes an entry that owns itself, until Release.
  static Entry* New(Container&& container);
  static void Release(void* entry);

  // What is handed out; it keeps the whole entry alive. With the reference count before it and the
  // container's numbers after it, this is the one line of memory that most look-ups read.
  ContainerPtr self;
  const Container container;
  // DELETED has been published, or is being.
  std::atomic<bool> removing{false};
  Link links[kIndexes];
  // One for each of the container's labels, in their order.
  std::unique_ptr<LabelLink[]> labels;

  // The pointer is known without a look at `self`, whose load then holds up nobody.
  ContainerPtr Handed() const { return ContainerPtr(self, &container); }
  // Asks for the memory that Handed needs, for who is going to call it for many: an increment of a
  // reference count lets no later load begin, so that each would wait alone.
  void Prefetch() const { __builtin_prefetch(&self, /*write=*/1); }
  const Labels::value_type& LabelOf(const LabelLink* link) const {
    return container.k8s.pod_labels.begin()[link - labels.get()];
  }
};

template <typename Entries>
std::vector<ContainerPtr> HandOut(const Entries& entries) {
  std::vector<ContainerPtr> containers;
  containers.reserve(entries.size());
  for (const Entry* entry : entries) containers.push_back(entry->Handed());
  return containers;
}

template <size_t kNumber>
Entry* OwnerOf(const Link* link) {
  // Conditionally supported for what is not a standard-layout type; both gcc and clang have it for
  // any type without virtual bases.
  char* const first = reinterpret_cast<char*>(const_cast<Link*>(link) - kNumber);
  return reinterpret_cast<Entry*>(first - offsetof(Entry, links));
}

template <size_t kNumber, auto kKeyOf>
struct EntryTraits {
  using Key = decltype(kKeyOf(std::declval<const Container&>()));
  static Key KeyOf(const Link* link) { return kKeyOf(OwnerOf<kNumber>(link)->container); }
};

inline std::string_view IdOf(const Container& c) { return c.runtime.container_id; }
inline uint64_t MntnsOf(const Container& c) { return c.mntns; }
inline uint64_t NetnsOf(const Container& c) { return c.netns; }
inline uint64_t CgroupOf(const Container& c) { return c.cgroup_id; }
inline uint64_t PidOf(const Container& c) { return c.runtime.container_pid; }
inline uint64_t HandleOf(const Container& c) { return c.handle; }
inline std::string_view PodUidOf(const Container& c) { return c.k8s.pod_uid; }
inline std::string_view NamespaceOf(const Container& c) { return c.k8s.namespace_name; }
inline std::string_view PodOf(const Container& c) { return c.k8s.pod_name; }
inline std::string_view ContainerNameOf(const Container& c) { return c.k8s.container_name; }
inline std::string_view RuntimeContainerNameOf(const Container& c) {
  return c.runtime.container_name;
}
inline std::string_view RuntimeOf(const Container& c) { return c.runtime.runtime_name; }

struct LabelKey {
  std::string_view key;
  std::string_view value;
  bool operator==(const LabelKey&) const = default;
};
inline uint64_t HashKey(const LabelKey& label) { return HashKey(label.key, label.value); }

struct LabelTraits {
  using Key = LabelKey;
  static Key KeyOf(const Link* link) {
    const auto* place = static_cast<const LabelLink*>(link);
    const Labels::value_type& label = place->owner->LabelOf(place);
    return {label.first, label.second};
  }
};

// A container that has been removed, while events of its last moments may still come.
struct Remembered {
  Link links[2];  // by mount namespace, by network namespace
  ContainerPtr container;
  absl::Time expires;
};

template <size_t kNumber>
Remembered* RememberedOf(const Link* link) {
  return reinterpret_cast<Remembered*>(const_cast<Link*>(link) - kNumber);
}

template <size_t kNumber, auto kKeyOf>
struct RememberedTraits {
  using Key = uint64_t;
  static Key KeyOf(const Link* link) { return kKeyOf(*RememberedOf<kNumber>(link)->container); }
};

}  // namespace roster::collection_internal

#endif  // ROSTER_USERSPACE_COLLECTION_ENTRY_H_

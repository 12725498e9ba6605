// TracerSetKeys is one set map of one tracer: which keys it should hold, and which it does.
#ifndef ROSTER_USERSPACE_COLLECTION_TRACER_SET_KEYS_H_
#define ROSTER_USERSPACE_COLLECTION_TRACER_SET_KEYS_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "roster/container.h"
#include "roster/tracer_collection.h"

namespace roster {

// Containers may share a key, so keys are counted. `sink` may be nullptr everywhere: then only the
// counts change. Not thread-safe.
class TracerSetKeys {
 public:
  explicit TracerSetKeys(TracerSet kind) : kind_(kind) {}

  TracerSet kind() const { return kind_; }
  uint64_t KeyOf(const Container& container) const {
    return kind_ == TracerSet::kMntns ? container.mntns : container.cgroup_id;
  }

  // Errors are the sink's; the count is right all the same, and the next change of the key tries
  // again. Key 0 is not known (yet) and changes nothing.
  absl::Status Add(TracerSink* sink, std::string_view tracer, uint64_t key);
  absl::Status Remove(TracerSink* sink, std::string_view tracer, uint64_t key);
  // To a sink that has none of them.
  absl::Status StoreAll(TracerSink* sink, std::string_view tracer);

 private:
  struct Key {
    size_t count = 0;
    bool stored = false;
  };
  absl::Status Store(TracerSink* sink, std::string_view tracer, uint64_t key, Key* entry);

  TracerSet kind_;
  absl::flat_hash_map<uint64_t, Key> keys_;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_COLLECTION_TRACER_SET_KEYS_H_

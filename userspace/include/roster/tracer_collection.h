// TracerCollection keeps, for every container, which tracers want it.
//
// A tracer is a name and a selector; it owns one of 128 bits in every container's membership and,
// on request, a set of mount namespaces and of cgroups. What changes goes to a TracerSink, which
// has the BPF maps.
#ifndef ROSTER_TRACER_COLLECTION_H_
#define ROSTER_TRACER_COLLECTION_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "roster/pubsub.h"
#include "roster/selector.h"

namespace roster {

inline constexpr int kMaxTracers = 128;
// Bit N of the whole is bit N % 64 of word N / 64.
using TracerBits = std::array<uint64_t, kMaxTracers / 64>;

enum class TracerSet {
  kMntns,   // tracers/<name>/mntnsset: u64 inode to u32 1
  kCgroup,  // tracers/<name>/cgroupset: u64 id to u64 1
};

// Where bits and sets go. Called with a lock of the collection held, one call at a time, from any
// thread: must not block for long and must not call the collection. Any error may be returned; it
// is counted by the caller, and the sets are kept up to date in memory, so that the next change of
// a key tries again. Adding a key that is there and removing one that is not are fine.
class TracerSink {
 public:
  virtual ~TracerSink() = default;
  virtual absl::Status SetTracerBits(uint64_t handle, const TracerBits& bits) = 0;
  virtual absl::Status CreateSet(std::string_view tracer, TracerSet set) = 0;
  virtual absl::Status RemoveSet(std::string_view tracer, TracerSet set) = 0;
  virtual absl::Status AddToSet(std::string_view tracer, TracerSet set, uint64_t key) = 0;
  virtual absl::Status RemoveFromSet(std::string_view tracer, TracerSet set, uint64_t key) = 0;
  // A descriptor of the set's BPF map, the caller's to close. Not every sink has maps.
  virtual absl::StatusOr<int> OpenSet(std::string_view tracer, TracerSet set);
};

struct TracerOptions {
  bool mntns_set = false;
  bool cgroup_set = false;
};

struct TracerInfo {
  std::string name;
  int bit = 0;
  ContainerSelector selector;
  TracerOptions options;
  size_t containers = 0;  // how many match now
};

// Thread-safe. Costs one match per tracer and container added or updated.
class TracerCollection {
 public:
  // `sink` may be nullptr (nothing is mirrored) and must outlive this.
  explicit TracerCollection(TracerSink* sink);
  ~TracerCollection();
  TracerCollection(const TracerCollection&) = delete;
  TracerCollection& operator=(const TracerCollection&) = delete;

  // Returns the tracer's bit. ALREADY_EXISTS for a name in use, INVALID_ARGUMENT for a name that is
  // not 1 to 64 of [A-Za-z0-9_-] (the sets are pinned under it, and a BPF file system takes no '.')
  // or a selector that does not parse; RESOURCE_EXHAUSTED for the 129th. The containers there are
  // now are part of it when this returns. When the sink cannot make a set, the tracer is not added
  // and its error is returned.
  absl::StatusOr<int> AddTracer(std::string_view name, const ContainerSelector& selector,
                                TracerOptions options = {});
  // As AddTracer, at a given bit: for one that is adopted from an earlier run. ALREADY_EXISTS when
  // it is taken.
  absl::Status AddTracerAt(int bit, std::string_view name, const ContainerSelector& selector,
                           TracerOptions options = {});
  // NOT_FOUND for an unknown name. The bit is free again afterwards, and clear in every membership.
  absl::Status RemoveTracer(std::string_view name);

  bool TracerExists(std::string_view name) const;
  size_t TracerCount() const;
  // Sorted by name.
  std::vector<TracerInfo> Tracers() const;
  // For people: one line a tracer and one for each of its containers.
  std::string TracerDump() const;
  // NOT_FOUND for an unknown name.
  absl::StatusOr<std::vector<ContainerPtr>> TracerContainers(std::string_view name) const;
  // A descriptor of the tracer's set map, for a BPF object that wants it as one of its maps; the
  // caller's to close. NOT_FOUND for an unknown name, FAILED_PRECONDITION when the tracer was added
  // without that set or there is no sink, UNIMPLEMENTED for a sink without maps.
  absl::StatusOr<int> TracerMountNsMap(std::string_view name) const;
  absl::StatusOr<int> TracerCgroupMap(std::string_view name) const;
  // The tracers whose selectors match a container, be it in the collection or about to be.
  TracerBits BitsOf(const Container& container) const;

  // Calls of the sink that failed.
  uint64_t SinkErrors() const;
  // For a sink that comes later than this object, and goes earlier: false when there is one
  // already. It is told everything. Failures are counted.
  bool SetSinkIfNone(TracerSink* sink);
  // Forgets the sink, without removing anything from it: it is not called afterwards.
  void DropSink();
  // Tells the sink everything again: after it lost its maps, or had been full.
  absl::Status Resync();

  // Keeps the tracers in step with the events it is called with: CREATED, UPDATED and DELETED, each
  // container's in order. WithTracerCollection connects it to a collection, before anybody else is
  // told; for another source of events it can be subscribed by hand, but not to both. On DELETED a
  // container leaves the sets; the bits in its membership stay for its last events, and go with its
  // slot.
  FuncNotify TracerMapsUpdater();

  // Removes all tracers.
  void Close();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace roster

#endif  // ROSTER_TRACER_COLLECTION_H_

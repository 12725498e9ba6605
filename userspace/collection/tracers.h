// Tracers knows which tracers want which containers, and tells a sink of every change.
#ifndef ROSTER_USERSPACE_COLLECTION_TRACERS_H_
#define ROSTER_USERSPACE_COLLECTION_TRACERS_H_

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "collection/tracer_set_keys.h"
#include "roster/container.h"
#include "roster/pubsub.h"
#include "roster/selector.h"
#include "roster/tracer_collection.h"

namespace roster {

// TracerCollection's methods of the same names say what most of these do. Failures of the sink that
// are not returned are counted. Not thread-safe.
class Tracers {
 public:
  explicit Tracers(TracerSink* sink) : sink_(sink) {}

  TracerSink* sink() const { return sink_; }
  void set_sink(TracerSink* sink) { sink_ = sink; }
  // Makes every set and writes every bit anew; the first error.
  absl::Status TellEverything();
  uint64_t sink_errors() const { return sink_errors_; }
  void Count(const absl::Status& status);

  // The bit of that name; nullopt: there is none.
  std::optional<int> BitOf(std::string_view name) const;
  bool IsTaken(int bit) const { return tracers_[bit].has_value(); }
  size_t size() const { return bit_by_name_.size(); }
  // `bit` and `name` are free. The sink's error when it cannot make a set; nothing is added then.
  absl::Status Add(int bit, std::string_view name, CompiledSelector compiled,
                   const ContainerSelector& selector, TracerOptions options);
  // `bit` is taken.
  void Remove(int bit);
  // All tracers and containers.
  void Clear();

  void OnCreated(const ContainerPtr& container);
  void OnDeleted(const ContainerPtr& container);
  void OnUpdated(const PubSubEvent& event);

  TracerBits Match(const Container& container) const;
  std::vector<TracerInfo> Infos() const;
  std::vector<ContainerPtr> ContainersOf(int bit) const;
  absl::StatusOr<int> OpenSet(std::string_view name, TracerSet kind) const;

 private:
  struct Tracer {
    std::string name;
    ContainerSelector selector;
    CompiledSelector compiled;
    TracerOptions options;
    std::vector<TracerSetKeys> sets;
  };
  struct Known {
    ContainerPtr container;
    TracerBits bits{};
  };

  void SetBits(const Known& known);
  void MoveInSets(const Known* was, const Known* is);

  TracerSink* sink_;
  std::array<std::optional<Tracer>, kMaxTracers> tracers_;
  std::map<std::string, int, std::less<>> bit_by_name_;
  absl::flat_hash_map<const Container*, Known> containers_;
  uint64_t sink_errors_ = 0;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_COLLECTION_TRACERS_H_

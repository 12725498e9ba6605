// A collection of containers in pods of ten, and bare maps over the same keys.
#ifndef ROSTER_TESTS_BENCH_COLLECTION_BENCH_FIXTURE_H_
#define ROSTER_TESTS_BENCH_COLLECTION_BENCH_FIXTURE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "collection_bench_measure.h"
#include "roster/collection.h"

namespace roster {

// The i-th of that many; its id depends on `i` only.
Container Make(int i, int containers);

struct Fixture {
  explicit Fixture(int n);
  int At(int i) const { return order[i & (kCalls - 1)]; }

  const int containers;
  ContainerCollection collection;
  absl::flat_hash_map<uint64_t, ContainerPtr> bare_mntns;
  absl::flat_hash_map<uint64_t, ContainerPtr> bare_netns;
  absl::flat_hash_map<std::string, ContainerPtr> bare_id;
  using PodKey = std::pair<std::string, std::string>;
  absl::flat_hash_map<PodKey, ContainerPtr> bare_pod;
  std::vector<std::string> ids;
  std::vector<uint64_t> mntns;
  std::vector<uint64_t> netns;
  std::vector<std::string> namespaces;
  std::vector<std::string> pods;
  std::vector<PodKey> pod_keys;
  std::vector<std::string> pod_uids;
  std::vector<int> order;
};

// What every look-up costs.
void Lookups(Fixture& f);
// What an add and a remove cost, by the number of subscribers.
void Changes(Fixture& f);

}  // namespace roster

#endif  // ROSTER_TESTS_BENCH_COLLECTION_BENCH_FIXTURE_H_

// What look-ups and changes of the collection cost, against a bare absl::flat_hash_map over the
// same keys.
//
// 10,000 containers in 1,000 pods; the look-ups again on one of four reading threads beside a
// writer at 1,000 changes a second; the heap a container; the growth from 1,000 to 100,000
// containers. Each figure is the median of several rounds; ratios are within one run.
#include <malloc.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "collection_bench_fixture.h"
#include "collection_bench_measure.h"
#include "roster/collection.h"

namespace roster {
namespace {

using Clock = std::chrono::steady_clock;

void BesideAWriter(Fixture& f) {
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    auto next = Clock::now();
    for (int i = 0; !stop; ++i) {
      const Container c = Make(f.containers + i % 64, f.containers);
      f.collection.AddContainer(c).IgnoreError();
      f.collection.RemoveContainer(c.runtime.container_id).IgnoreError();
      std::this_thread::sleep_until(next += std::chrono::milliseconds(2));
    }
  });
  std::vector<std::thread> readers;
  for (int r = 0; r < 3; ++r) {
    readers.emplace_back([&] {
      for (int i = 0; !stop; ++i) Use(f.collection.LookupContainerByMntns(f.mntns[f.At(i)])->netns);
    });
  }
  std::printf("\n-- one of four readers, beside 1,000 changes a second\n");
  Lookups(f);
  stop = true;
  writer.join();
  for (std::thread& reader : readers) reader.join();
}

// Large index tables are mapped, not taken from the heap's arena.
size_t HeapInUse() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

void Memory(int n) {
  ContainerCollection collection;
  if (!collection.Initialize(WithPubSub()).ok()) std::abort();
  const size_t before = HeapInUse();
  for (int i = 0; i < n; ++i) {
    if (!collection.AddContainer(Make(i, n)).ok()) std::abort();
  }
  const double each = static_cast<double>(HeapInUse() - before) / n;
  std::printf("heap a container, %6d containers: %.0f bytes (goal 1,024; sizeof(Container) %zu)\n",
              n, each, sizeof(Container));
}

void Growth() {
  for (const int n : {1000, 10000, 100000}) {
    Fixture f(n);
    const double bare =
        Measure(kCalls, [&](int i) { Use(f.bare_mntns.find(f.mntns[f.At(i)])->second->netns); });
    const double by_mntns = Measure(
        kCalls, [&](int i) { Use(f.collection.LookupContainerByMntns(f.mntns[f.At(i)])->netns); });
    ContainerSelector s;
    s.k8s.namespace_name = "ns3";
    s.k8s.pod_name = "pod-3";
    const double select =
        Measure(2000, [&](int) { Use(f.collection.GetContainersBySelector(s)->size()); });
    std::printf("%6d containers: bare %.1f, by mntns %.1f, selector with 10 matches %.0f ns\n", n,
                bare, by_mntns, select);
  }
}

}  // namespace
}  // namespace roster

int main() {
  {
    roster::Fixture f(10000);
    roster::Lookups(f);
    roster::Changes(f);
    roster::BesideAWriter(f);
  }
  std::printf("\n");
  roster::Memory(1000);
  roster::Memory(10000);
  roster::Growth();
  return 0;
}

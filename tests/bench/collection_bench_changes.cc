// What adds and removes cost, by the number of subscribers who are waited for.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "collection_bench_fixture.h"
#include "collection_bench_measure.h"
#include "roster/collection.h"

namespace roster {
namespace {

constexpr int kPairs = 2000;

// What no synchronous hand-over to another thread can be quicker than: a word there and a word
// back, when both threads look for it all the time.
void PingPong(double bare) {
  alignas(64) std::atomic<int> there{0};
  alignas(64) std::atomic<int> back{0};
  // Where both are on one processor, a look each time slice would take for ever.
  const auto changed = [](const std::atomic<int>& word, int from) {
    for (int looks = 1; word.load(std::memory_order_acquire) == from; ++looks) {
      if (looks % 10000 == 0) std::this_thread::yield();
    }
    return word.load(std::memory_order_acquire);
  };
  std::thread echo([&] {
    for (int now = 0; (now = changed(there, now)) >= 0;) back.store(now, std::memory_order_release);
  });
  int sent = 0;
  MeasureWall("a word to another thread and back", bare, 0, 2000, [&](int) {
    there.store(sent + 1, std::memory_order_release);
    sent = changed(back, sent);
  });
  there = -1;
  echo.join();
}

// In turns with the same without subscribers: what else the machine does then weighs on both.
// `goal`: at most that many times `bare`.
template <typename AddRemove>
void WithSubscribers(Fixture& f, int subscribers, absl::Duration deadline, double bare, double goal,
                     AddRemove add_remove) {
  std::atomic<uint64_t> seen{0};
  const auto key = [](int i) { return absl::StrCat("s", i); };
  SubscriptionOptions options;
  options.deadline = deadline;
  std::vector<double> without;
  std::vector<double> with;
  const uint64_t late_before = f.collection.pubsub()->TotalStats().late;
  for (int r = 0; r < kRounds + 1; ++r) {
    const double alone = Round(kPairs, add_remove, CLOCK_MONOTONIC);
    for (int i = 0; i < subscribers; ++i) {
      if (!f.collection
               .Subscribe(
                   key(i), {},
                   [&](const PubSubEvent&) { seen.fetch_add(1, std::memory_order_relaxed); },
                   options)
               .ok()) {
        std::abort();
      }
    }
    const double told = Round(kPairs, add_remove, CLOCK_MONOTONIC);
    for (int i = 0; i < subscribers; ++i) {
      if (!f.collection.Unsubscribe(key(i)).ok()) std::abort();
    }
    if (r == 0) continue;  // warms up
    without.push_back(alone);
    with.push_back(told);
  }
  std::sort(without.begin(), without.end());
  std::sort(with.begin(), with.end());
  const double median = with[kRounds / 2];
  PrintWall(absl::StrCat("add + remove, ", subscribers, " subscriber", subscribers == 1 ? "" : "s",
                         deadline == absl::InfiniteDuration() ? ", no deadline" : ", a deadline"),
            bare, goal, with);
  std::printf("    in turns with none: %.1f ns; each subscriber adds %.1f ns a pair\n",
              without[kRounds / 2], (median - without[kRounds / 2]) / subscribers);
  // A late one is not waited for: what is not 0 here makes the figures above too good.
  std::printf("    events told %lu, late %lu\n", static_cast<unsigned long>(seen),
              static_cast<unsigned long>(f.collection.pubsub()->TotalStats().late - late_before));
}

}  // namespace

void Changes(Fixture& f) {
  std::vector<Container> made;
  for (int k = 0; k < 1024; ++k) made.push_back(Make(f.containers + k, f.containers));
  const auto add_remove = [&](int i) {
    const Container& c = made[i & 1023];
    if (!f.collection.AddContainer(c).ok()) std::abort();
    if (!f.collection.RemoveContainer(c.runtime.container_id).ok()) std::abort();
  };
  const double bare =
      Measure(kCalls, [&](int i) { Use(f.bare_mntns.find(f.mntns[f.At(i)])->second->netns); });
  std::printf("\n-- a pair of an add and a remove: median of the rounds, and the best\n");
  PingPong(bare);
  MeasureWall("add + remove, no subscriber", bare, 0, kPairs, add_remove);
  // The goals are 2.7 and 4 us where the bare find takes 20 ns.
  for (const absl::Duration deadline : {absl::InfiniteDuration(), SubscriptionOptions().deadline}) {
    WithSubscribers(f, 1, deadline, bare, 2700 / 20.0, add_remove);
    WithSubscribers(f, 10, deadline, bare, 4000 / 20.0, add_remove);
  }
}

}  // namespace roster

// Changes, subscriptions and look-ups at the same time. Its worth is greatest under
// -fsanitize=thread.
#include <atomic>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "roster/collection.h"

namespace roster {
namespace {

using ::testing::Contains;
using ::testing::Pair;

Container Make(int i, int generation = 0) {
  Container c;
  c.runtime.container_id = absl::StrCat("container-with-a-long-id-", i);
  c.runtime.container_pid = i + 1;
  c.k8s.namespace_name = absl::StrCat("ns", i % 3);
  c.k8s.pod_name = absl::StrCat("pod", i / 4);
  c.k8s.container_name = absl::StrCat("c", i % 4);
  c.k8s.pod_labels = {{"app", absl::StrCat("app", i % 5)}, {"gen", absl::StrCat(generation)}};
  c.mntns = 1000 + i;
  c.netns = 2000 + i / 4;
  c.handle = 1 + i;
  return c;
}

// What one subscriber knows, checked at every event.
class View {
 public:
  void Begin(const std::vector<ContainerPtr>& now) {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const ContainerPtr& c : now) Created(c->runtime.container_id);
    begun_ = true;
    for (const auto& [type, id] : early_) Apply(type, id);
  }
  FuncNotify Callback() {
    return [this](const PubSubEvent& event) {
      const std::lock_guard<std::mutex> lock(mutex_);
      const std::string& id = event.container->runtime.container_id;
      // An event may overtake Subscribe's return.
      if (!begun_) {
        early_.emplace_back(event.type, id);
      } else {
        Apply(event.type, id);
      }
    };
  }
  std::map<std::string, int> Live() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return live_;
  }

 private:
  void Apply(EventType type, const std::string& id) {
    if (type == EventType::kCreated) Created(id);
    if (type == EventType::kUpdated) {
      EXPECT_EQ(live_.count(id), 1u) << "UPDATED of a stranger " << id;
    }
    if (type == EventType::kDeleted) {
      EXPECT_EQ(live_.erase(id), 1u) << "DELETED of a stranger " << id;
    }
  }
  void Created(const std::string& id) { EXPECT_EQ(++live_[id], 1) << id << " was announced twice"; }

  std::mutex mutex_;
  bool begun_ = false;
  std::vector<std::pair<EventType, std::string>> early_;
  std::map<std::string, int> live_;
};

// Part 2: a container both in the returned list and as CREATED, or after its DELETED.
TEST(CollectionConcurrency, EverySubscriberSeesEachContainerExactlyOnce) {
  ContainerCollection collection;
  ASSERT_TRUE(collection.Initialize(WithPubSub()).ok());
  constexpr int kWriters = 3;
  constexpr int kEach = 40;
  constexpr int kRounds = 60;
  SubscriptionOptions options;
  options.deadline = absl::Seconds(60);
  std::atomic<bool> stop{false};
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      std::minstd_rand random(w);
      for (int round = 0; round < kRounds; ++round) {
        for (int i = 0; i < kEach; ++i) {
          const int number = w * kEach + static_cast<int>(random() % kEach);
          const std::string id = absl::StrCat("container-with-a-long-id-", number);
          switch (random() % 3) {
            case 0:
              collection.AddContainer(Make(number, round)).IgnoreError();
              break;
            case 1:
              collection
                  .UpdateContainer(id,
                                   [&](Container* c) {
                                     *c = Make(number, round);
                                     return true;
                                   })
                  .IgnoreError();
              break;
            default:
              collection.RemoveContainer(id).IgnoreError();
          }
        }
      }
    });
  }
  std::vector<std::unique_ptr<View>> views;
  std::vector<ContainerSelector> selectors;
  for (int i = 0; i < 12; ++i) {
    ContainerSelector selector;
    if (i % 3 == 1) selector.k8s.namespace_name = "ns1";
    if (i % 3 == 2) selector.k8s.pod_labels = {{"gen", "1,2,3,5,8,13,21,34,55"}};
    views.push_back(std::make_unique<View>());
    auto now = collection.Subscribe(absl::StrCat(i), selector, views.back()->Callback(), options);
    ASSERT_TRUE(now.ok());
    views.back()->Begin(*now);
    selectors.push_back(selector);
  }
  for (std::thread& writer : writers) writer.join();
  stop = true;
  for (size_t i = 0; i < views.size(); ++i) {
    std::map<std::string, int> live;
    const auto matching = collection.GetContainersBySelector(selectors[i]);
    ASSERT_TRUE(matching.ok());
    for (const ContainerPtr& c : *matching) {
      live[c->runtime.container_id] = 1;
    }
    EXPECT_EQ(views[i]->Live(), live);
  }
  EXPECT_EQ(collection.pubsub()->TotalStats().late, 0u);
}

TEST(CollectionConcurrency, ReadersAlwaysFindWhatIsAlwaysThere) {
  ContainerCollection collection;
  ASSERT_TRUE(collection.Initialize().ok());
  constexpr int kStable = 64;
  constexpr int kChurn = 256;
  for (int i = 0; i < kStable; ++i) ASSERT_TRUE(collection.AddContainer(Make(i)).ok());
  std::atomic<bool> stop{false};
  std::vector<std::thread> readers;
  for (int r = 0; r < 3; ++r) {
    readers.emplace_back([&, r] {
      std::minstd_rand random(r);
      ContainerSelector everything;
      ContainerSelector apps;
      apps.k8s.pod_labels = {{"app", "app0,app1,app2,app3,app4"}};
      ContainerSelector generations;
      generations.where = "gen in (0, 1, 2, 3, 4, 5, 6, 7), @id ^= container";
      while (!stop) {
        const int i = static_cast<int>(random() % kStable);
        const Container wanted = Make(i);
        const ContainerPtr by_id = collection.GetContainer(wanted.runtime.container_id);
        ASSERT_NE(by_id, nullptr);
        ASSERT_EQ(by_id->mntns, wanted.mntns);
        ASSERT_EQ(collection.LookupContainerByMntns(wanted.mntns)->handle, wanted.handle);
        ASSERT_EQ(collection.LookupContainersByNetns(wanted.netns).size(), 4u);
        ASSERT_EQ(collection.LookupContainerByPid(wanted.runtime.container_pid)->mntns,
                  wanted.mntns);
        ASSERT_EQ(collection.LookupMntnsByContainer(wanted.k8s.namespace_name, wanted.k8s.pod_name,
                                                    wanted.k8s.container_name),
                  wanted.mntns);
        ASSERT_THAT(collection.LookupMntnsByPod(wanted.k8s.namespace_name, wanted.k8s.pod_name),
                    Contains(Pair(wanted.k8s.container_name, wanted.mntns)));
        {
          const ContainerReader reader(collection);
          ASSERT_EQ(reader.ByHandle(wanted.handle)->mntns, wanted.mntns);
        }
        for (const ContainerSelector& selector : {everything, apps, generations}) {
          size_t stable = 0;
          const auto matching = collection.GetContainersBySelector(selector);
          ASSERT_TRUE(matching.ok());
          for (const ContainerPtr& c : *matching) {
            if (c->handle <= kStable) ++stable;
          }
          ASSERT_EQ(stable, static_cast<size_t>(kStable));
        }
      }
    });
  }
  std::minstd_rand random(99);
  for (int i = 0; i < 4000; ++i) {
    const int other = kStable + static_cast<int>(random() % kChurn);
    if (random() % 2 == 0) {
      collection.AddContainer(Make(other)).IgnoreError();
    } else {
      collection.RemoveContainerByHandle(other + 1).IgnoreError();
    }
    const int stable = static_cast<int>(random() % kStable);
    ASSERT_TRUE(collection.UpdateContainer(Make(stable, static_cast<int>(random() % 8))).ok());
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
}

TEST(CollectionConcurrency, CloseWhileEverythingIsUsedNeitherHangsNorCrashes) {
  for (int round = 0; round < 20; ++round) {
    ContainerCollection collection;
    FuncNotify reenter = [&](const PubSubEvent& event) {
      (void)collection.GetContainer(event.container->runtime.container_id);
      collection
          .UpdateContainer(event.container->runtime.container_id,
                           [](Container* c) {
                             ++c->cgroup_id;
                             return c->cgroup_id < 3;
                           })
          .IgnoreError();
    };
    ASSERT_TRUE(collection.Initialize(WithPubSub({reenter}), WithRemovedContainers()).ok());
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; !stop; ++i) {
          collection.AddContainer(Make(t * 100 + i % 50)).IgnoreError();
          collection.RemoveContainer(Make(t * 100 + (i + 25) % 50).runtime.container_id)
              .IgnoreError();
          collection.Subscribe("s", {}, reenter).status().IgnoreError();
        }
      });
    }
    while (collection.GetStats().added < 100) std::this_thread::yield();
    collection.Close();
    stop = true;
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(collection.ContainerLen(), 0u);
  }
}

}  // namespace
}  // namespace roster

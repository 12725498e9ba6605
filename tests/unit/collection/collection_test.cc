#include "roster/collection.h"

#include <atomic>
#include <latch>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace roster {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

Container Make(std::string id, std::string namespace_name, std::string pod, std::string name,
               uint64_t mntns, uint64_t netns, uint32_t pid = 0) {
  Container c;
  c.runtime.container_id = std::move(id);
  c.runtime.container_pid = pid;
  c.k8s.namespace_name = std::move(namespace_name);
  c.k8s.pod_name = std::move(pod);
  c.k8s.container_name = std::move(name);
  c.mntns = mntns;
  c.netns = netns;
  return c;
}

std::vector<std::string> Ids(const std::vector<ContainerPtr>& containers) {
  std::vector<std::string> ids;
  for (const ContainerPtr& c : containers) ids.push_back(c->runtime.container_id);
  return ids;
}

// Writes down what it is told, as "CREATED a".
class Recorder {
 public:
  FuncNotify Callback() {
    return [this](const PubSubEvent& event) {
      const std::lock_guard<std::mutex> lock(mutex_);
      events_.push_back(absl::StrCat(std::string(EventTypeName(event.type)), " ",
                                     event.container->runtime.container_id));
    };
  }
  std::vector<std::string> Events() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return events_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> events_;
};

class CollectionTest : public ::testing::Test {
 protected:
  void Add(Container c) { ASSERT_TRUE(collection_.AddContainer(std::move(c)).ok()); }

  ContainerCollection collection_;
};

TEST_F(CollectionTest, ChangesBeforeInitializeAndAfterCloseAreErrors) {
  for (const char* when : {"before", "after"}) {
    SCOPED_TRACE(when);
    EXPECT_TRUE(absl::IsFailedPrecondition(collection_.AddContainer(Make("a", "", "", "", 1, 1))));
    EXPECT_TRUE(absl::IsFailedPrecondition(collection_.RemoveContainer("a")));
    EXPECT_TRUE(absl::IsFailedPrecondition(collection_.UpdateContainer(Container())));
    EXPECT_TRUE(absl::IsFailedPrecondition(collection_.Unsubscribe("a")));
    EXPECT_TRUE(absl::IsFailedPrecondition(
        collection_.Subscribe("a", {}, [](const PubSubEvent&) {}).status()));
    EXPECT_EQ(collection_.GetContainer("a"), nullptr);
    EXPECT_EQ(collection_.ContainerLen(), 0u);
    EXPECT_EQ(collection_.LookupMntnsByContainer("", "", ""), 0u);
    if (std::string(when) == "before") {
      ASSERT_TRUE(collection_.Initialize(WithPubSub()).ok());
      collection_.Close();
    }
  }
  EXPECT_TRUE(absl::IsFailedPrecondition(collection_.Initialize()));
  collection_.Close();
}

TEST_F(CollectionTest, InitializingTwiceIsAnError) {
  ASSERT_TRUE(collection_.Initialize().ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(collection_.Initialize()));
}

TEST_F(CollectionTest, LooksUpByEveryKey) {
  ASSERT_TRUE(collection_.Initialize().ok());
  Container a = Make("abc1", "ns", "pod", "one", 11, 21, 31);
  a.cgroup_id = 41;
  a.handle = 51;
  a.k8s.pod_uid = "uid";
  a.runtime.runtime_name = "docker";
  Add(a);
  Container b = Make("abd2", "ns", "pod", "two", 12, 21, 32);
  b.k8s.pod_uid = "uid";
  b.cgroup_id = 42;
  Add(b);

  EXPECT_EQ(collection_.GetContainer("abc1")->mntns, 11u);
  EXPECT_EQ(collection_.GetContainer("abc"), nullptr);
  EXPECT_EQ(collection_.LookupContainerByMntns(12)->runtime.container_id, "abd2");
  EXPECT_EQ(collection_.LookupContainerByMntns(13), nullptr);
  EXPECT_THAT(Ids(collection_.LookupContainersByNetns(21)), ElementsAre("abc1", "abd2"));
  EXPECT_THAT(collection_.LookupContainersByNetns(22), IsEmpty());
  EXPECT_EQ(collection_.LookupContainerByCgroupId(42)->runtime.container_id, "abd2");
  EXPECT_EQ(collection_.LookupContainerByCgroupId(0), nullptr);
  EXPECT_EQ(collection_.LookupContainerByPid(31)->runtime.container_id, "abc1");
  EXPECT_EQ(collection_.LookupContainerByPid(0), nullptr);
  EXPECT_EQ(collection_.LookupContainerByHandle(51)->runtime.container_id, "abc1");
  EXPECT_EQ(collection_.LookupContainerByHandle(0), nullptr);
  EXPECT_THAT(Ids(collection_.LookupContainersByPodUid("uid")), ElementsAre("abc1", "abd2"));
  EXPECT_EQ(collection_.LookupMntnsByContainer("ns", "pod", "two"), 12u);
  EXPECT_EQ(collection_.LookupMntnsByContainer("other", "pod", "two"), 0u);
  EXPECT_EQ(collection_.LookupPIDByContainer("ns", "pod", "one"), 31u);
  EXPECT_EQ(collection_.LookupPIDByContainer("ns", "pod", "three"), 0u);
  EXPECT_EQ(collection_.LookupMntnsByPod("ns", "pod"),
            (std::map<std::string, uint64_t>{{"one", 11}, {"two", 12}}));
  EXPECT_EQ(collection_.LookupPIDByPod("ns", "pod"),
            (std::map<std::string, uint32_t>{{"one", 31}, {"two", 32}}));
  EXPECT_THAT(collection_.LookupMntnsByPod("ns", "other"), IsEmpty());
  EXPECT_EQ(collection_.ContainerLen(), 2u);

  const ContainerReader reader(collection_);
  EXPECT_EQ(reader.ById("abc1"), collection_.GetContainer("abc1").get());
  EXPECT_EQ(reader.ByMntns(11), collection_.GetContainer("abc1").get());
  EXPECT_EQ(reader.FirstByNetns(21), collection_.GetContainer("abc1").get());
  EXPECT_EQ(reader.ByPid(32), collection_.GetContainer("abd2").get());
  EXPECT_EQ(reader.ByHandle(51), collection_.GetContainer("abc1").get());
  EXPECT_EQ(reader.ByCgroupId(43), nullptr);
}

TEST_F(CollectionTest, ContainersOutsideKubernetesAreFoundUnderTheEmptyPod) {
  ASSERT_TRUE(collection_.Initialize().ok());
  Add(Make("a", "", "", "plain", 7, 8, 9));
  Add(Make("b", "ns", "pod", "plain", 10, 8, 11));
  EXPECT_EQ(collection_.LookupMntnsByContainer("", "", "plain"), 7u);
  EXPECT_EQ(collection_.LookupPIDByPod("", ""), (std::map<std::string, uint32_t>{{"plain", 9}}));
}

TEST_F(CollectionTest, AnIdPrefixMustNameExactlyOneContainer) {
  ASSERT_TRUE(collection_.Initialize().ok());
  Add(Make("abc1", "", "", "", 1, 1));
  Add(Make("abd2", "", "", "", 2, 2));
  Add(Make("ab", "", "", "", 3, 3));
  ASSERT_TRUE(collection_.GetContainerByIdPrefix("abc").ok());
  EXPECT_EQ((*collection_.GetContainerByIdPrefix("abc"))->mntns, 1u);
  // A whole id is never ambiguous.
  EXPECT_EQ((*collection_.GetContainerByIdPrefix("ab"))->mntns, 3u);
  EXPECT_TRUE(absl::IsFailedPrecondition(collection_.GetContainerByIdPrefix("a").status()));
  EXPECT_THAT(std::string(collection_.GetContainerByIdPrefix("a").status().message()),
              HasSubstr("ambiguous"));
  EXPECT_TRUE(absl::IsNotFound(collection_.GetContainerByIdPrefix("x").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(collection_.GetContainerByIdPrefix("").status()));
}

TEST_F(CollectionTest, AnInvalidIdIsRefused) {
  ASSERT_TRUE(collection_.Initialize().ok());
  for (const char* id : {"", ".", "..", "a/b", "a b", "a\n", "\xff"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(collection_.AddContainer(Make(id, "", "", "", 1, 1))))
        << id;
  }
  EXPECT_EQ(collection_.GetStats().invalid, 7u);
}

// Part 2: a duplicate add runs all enrichers.
TEST_F(CollectionTest, ADuplicateAddRunsNoEnricherAndAnnouncesNothing) {
  int enriched = 0;
  Recorder recorder;
  ASSERT_TRUE(collection_
                  .Initialize(WithPubSub({recorder.Callback()}),
                              WithEnricher("count", [&](Container*) { return ++enriched > 0; }))
                  .ok());
  Add(Make("a", "", "", "", 1, 1));
  EXPECT_TRUE(absl::IsAlreadyExists(collection_.AddContainer(Make("a", "", "", "", 1, 1))));
  EXPECT_EQ(enriched, 1);
  EXPECT_THAT(recorder.Events(), ElementsAre("CREATED a"));
  EXPECT_EQ(collection_.GetStats().duplicates, 1u);
}

// Part 2: two removals publish two DELETED events.
TEST_F(CollectionTest, TwoRemovalsPublishOneDeletedEvent) {
  Recorder recorder;
  ASSERT_TRUE(collection_.Initialize(WithPubSub({recorder.Callback()})).ok());
  Add(Make("a", "", "", "", 1, 1));
  std::atomic<int> removed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] { removed += collection_.RemoveContainer("a").ok() ? 1 : 0; });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(removed, 1);
  EXPECT_THAT(recorder.Events(), ElementsAre("CREATED a", "DELETED a"));
  EXPECT_TRUE(absl::IsNotFound(collection_.RemoveContainer("a")));
}

// Part 2: one container per mount namespace, and removing either removes both.
TEST_F(CollectionTest, ContainersThatShareAMountNamespaceAreCounted) {
  ASSERT_TRUE(collection_.Initialize().ok());
  Add(Make("a", "", "", "", 7, 1));
  Add(Make("b", "", "", "", 7, 1));
  Add(Make("c", "", "", "", 7, 1));
  EXPECT_EQ(collection_.LookupContainerByMntns(7)->runtime.container_id, "c");
  EXPECT_THAT(Ids(collection_.LookupContainersByMntns(7)), ElementsAre("a", "b", "c"));
  ASSERT_TRUE(collection_.RemoveContainer("c").ok());
  EXPECT_EQ(collection_.LookupContainerByMntns(7)->runtime.container_id, "b");
  ASSERT_TRUE(collection_.RemoveContainer("a").ok());
  EXPECT_EQ(collection_.LookupContainerByMntns(7)->runtime.container_id, "b");
  ASSERT_TRUE(collection_.RemoveContainer("b").ok());
  EXPECT_EQ(collection_.LookupContainerByMntns(7), nullptr);
  EXPECT_THAT(collection_.LookupContainersByNetns(1), IsEmpty());
}

TEST_F(CollectionTest, TheSameIdUnderTwoRuntimesIsTwoContainers) {
  ASSERT_TRUE(collection_.Initialize().ok());
  Container docker = Make("same", "", "", "", 1, 1);
  docker.handle = 100;
  Container podman = Make("same", "", "", "", 2, 2);
  podman.handle = 200;
  Add(docker);
  Add(podman);
  EXPECT_EQ(collection_.ContainerLen(), 2u);
  EXPECT_EQ(collection_.GetContainer("same")->handle, 100u);
  EXPECT_EQ(collection_.GetContainers("same").size(), 2u);
  ASSERT_TRUE(collection_.RemoveContainerByHandle(100).ok());
  EXPECT_EQ(collection_.GetContainer("same")->handle, 200u);
  ASSERT_TRUE(collection_.RemoveContainer("same").ok());
  EXPECT_TRUE(absl::IsNotFound(collection_.RemoveContainerByHandle(200)));
  // Without handles, two mount namespaces tell them apart.
  Add(Make("same", "", "", "", 1, 1));
  Add(Make("same", "", "", "", 2, 2));
  EXPECT_TRUE(absl::IsAlreadyExists(collection_.AddContainer(Make("same", "", "", "", 0, 0))));
}

TEST_F(CollectionTest, AnEnricherThatSaysNoDropsTheContainer) {
  bool second_ran = false;
  ASSERT_TRUE(collection_
                  .Initialize(WithEnricher("picky", [](Container* c) { return c->mntns != 1; }),
                              WithEnricher("second",
                                           [&](Container* c) {
                                             second_ran = true;
                                             c->runtime.container_name = "filled in";
                                             return true;
                                           }))
                  .ok());
  const absl::Status status = collection_.AddContainer(Make("a", "", "", "", 1, 1));
  EXPECT_TRUE(absl::IsAborted(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("picky"));
  EXPECT_FALSE(second_ran);
  EXPECT_EQ(collection_.GetContainer("a"), nullptr);
  // It is not taken for a duplicate afterwards.
  Add(Make("a", "", "", "", 2, 1));
  EXPECT_EQ(collection_.GetContainer("a")->runtime.container_name, "filled in");
}

TEST_F(CollectionTest, AContainerRemovedWhileItsEnrichersRunIsNotLeftBehind) {
  std::latch enriching(1);
  std::latch go_on(1);
  Recorder recorder;
  ASSERT_TRUE(
      collection_
          .Initialize(WithPubSub({recorder.Callback()}), WithEnricher("slow",
                                                                      [&](Container*) {
                                                                        enriching.count_down();
                                                                        go_on.wait();
                                                                        return true;
                                                                      }))
          .ok());
  absl::Status added;
  std::thread adder([&] { added = collection_.AddContainer(Make("a", "", "", "", 1, 1)); });
  enriching.wait();
  EXPECT_TRUE(collection_.RemoveContainer("a").ok());
  go_on.count_down();
  adder.join();
  EXPECT_TRUE(absl::IsAborted(added)) << added;
  EXPECT_EQ(collection_.ContainerLen(), 0u);
  EXPECT_THAT(recorder.Events(), IsEmpty());
}

TEST_F(CollectionTest, AContainerCanBeFoundInItsDeletedEvent) {
  ContainerPtr found;
  FuncNotify look = [&](const PubSubEvent& event) {
    if (event.type == EventType::kDeleted) found = collection_.LookupContainerByMntns(1);
  };
  ASSERT_TRUE(collection_.Initialize(WithPubSub({look})).ok());
  Add(Make("a", "", "", "", 1, 1));
  const ContainerPtr before = collection_.GetContainer("a");
  ASSERT_TRUE(collection_.RemoveContainer("a").ok());
  EXPECT_EQ(found, before);
  EXPECT_EQ(collection_.LookupContainerByMntns(1), nullptr);
}

TEST_F(CollectionTest, ARestartUnderTheSameIdDoesNotWaitForItsPredecessorsEnd) {
  FuncNotify restart = [&](const PubSubEvent& event) {
    if (event.type != EventType::kDeleted) return;
    EXPECT_TRUE(collection_.AddContainer(Make("a", "", "", "", 2, 1)).ok());
    EXPECT_EQ(collection_.GetContainer("a")->mntns, 2u);
  };
  ASSERT_TRUE(collection_.Initialize(WithPubSub({restart})).ok());
  Add(Make("a", "", "", "", 1, 1));
  ASSERT_TRUE(collection_.RemoveContainer("a").ok());
  ASSERT_NE(collection_.GetContainer("a"), nullptr);
  EXPECT_EQ(collection_.GetContainer("a")->mntns, 2u);
  EXPECT_EQ(collection_.ContainerLen(), 1u);
}

TEST_F(CollectionTest, AContainerInHandNeverChanges) {
  ASSERT_TRUE(collection_.Initialize().ok());
  Add(Make("a", "", "", "", 1, 1));
  const ContainerPtr held = collection_.GetContainer("a");
  ASSERT_TRUE(collection_
                  .UpdateContainer("a",
                                   [](Container* c) {
                                     c->runtime.container_name = "later";
                                     return true;
                                   })
                  .ok());
  EXPECT_EQ(held->runtime.container_name, "");
  EXPECT_EQ(collection_.GetContainer("a")->runtime.container_name, "later");
  collection_.Close();
  EXPECT_EQ(held->mntns, 1u);
}

TEST_F(CollectionTest, AnUpdateMovesTheContainerInEveryIndex) {
  ASSERT_TRUE(collection_.Initialize().ok());
  Add(Make("a", "ns", "pod", "one", 1, 2, 3));
  Add(Make("b", "ns", "pod", "two", 1, 2, 4));
  Container a = Make("a", "ns2", "pod2", "uno", 11, 12, 13);
  a.k8s.pod_labels = {{"app", "web"}, {"tier", "x"}};
  a.mntns = 1;  // stays
  a.netns = 12;
  ASSERT_TRUE(collection_.UpdateContainer(a).ok());
  EXPECT_EQ(collection_.LookupContainerByPid(3), nullptr);
  EXPECT_EQ(collection_.LookupContainerByPid(13)->runtime.container_id, "a");
  EXPECT_THAT(Ids(collection_.LookupContainersByMntns(1)), ElementsAre("a", "b"));
  EXPECT_THAT(Ids(collection_.LookupContainersByNetns(2)), ElementsAre("b"));
  EXPECT_THAT(Ids(collection_.LookupContainersByNetns(12)), ElementsAre("a"));
  EXPECT_EQ(collection_.LookupMntnsByContainer("ns", "pod", "one"), 0u);
  ContainerSelector web;
  web.k8s.pod_labels = {{"app", "web"}};
  EXPECT_THAT(Ids(*collection_.GetContainersBySelector(web)), ElementsAre("a"));
  a.k8s.pod_labels = {{"app", "db"}, {"new", "y"}, {"tier", "x"}};
  ASSERT_TRUE(collection_.UpdateContainer(a).ok());
  EXPECT_THAT(*collection_.GetContainersBySelector(web), IsEmpty());
  for (const auto& [key, value] : a.k8s.pod_labels) {
    ContainerSelector label;
    label.k8s.pod_labels = {{key, value}};
    EXPECT_THAT(Ids(*collection_.GetContainersBySelector(label)), ElementsAre("a")) << key;
  }
  EXPECT_TRUE(absl::IsNotFound(collection_.UpdateContainer(Make("c", "", "", "", 1, 1))));
}

TEST_F(CollectionTest, AnUpdateWithoutADifferenceIsNoEvent) {
  Recorder recorder;
  ASSERT_TRUE(collection_.Initialize(WithPubSub({recorder.Callback()})).ok());
  Add(Make("a", "", "", "", 1, 1));
  ASSERT_TRUE(collection_.UpdateContainer(Make("a", "", "", "", 1, 1)).ok());
  ASSERT_TRUE(collection_.UpdateContainer("a", [](Container*) { return false; }).ok());
  EXPECT_THAT(recorder.Events(), ElementsAre("CREATED a"));
}

// Part 2: selectors are evaluated once, at add.
TEST_F(CollectionTest, AnUpdateIsSeenThroughTheSubscribersSelector) {
  Recorder all;
  Recorder web;
  ASSERT_TRUE(collection_.Initialize(WithPubSub({all.Callback()})).ok());
  ContainerSelector selector;
  selector.k8s.pod_labels = {{"app", "web"}};
  ASSERT_TRUE(collection_.Subscribe("web", selector, web.Callback()).ok());
  Add(Make("a", "", "", "", 1, 1));
  const auto label = [&](const std::string& value, const std::string& name) {
    return collection_.UpdateContainer("a", [&](Container* c) {
      c->k8s.pod_labels = {{"app", value}};
      c->k8s.container_name = name;
      return true;
    });
  };
  ASSERT_TRUE(label("web", "").ok());
  ASSERT_TRUE(label("web", "named").ok());
  ASSERT_TRUE(label("db", "named").ok());
  ASSERT_TRUE(label("web", "named").ok());
  ASSERT_TRUE(collection_.RemoveContainer("a").ok());
  EXPECT_THAT(web.Events(),
              ElementsAre("CREATED a", "UPDATED a", "DELETED a", "CREATED a", "DELETED a"));
  EXPECT_THAT(all.Events(), ElementsAre("CREATED a", "UPDATED a", "UPDATED a", "UPDATED a",
                                        "UPDATED a", "DELETED a"));
}

TEST_F(CollectionTest, PreCreateIsNotFilteredAndNotStored) {
  Recorder recorder;
  ASSERT_TRUE(collection_.Initialize(WithPubSub()).ok());
  ContainerSelector nothing;
  nothing.k8s.namespace_name = "nowhere";
  ASSERT_TRUE(collection_.Subscribe("s", nothing, recorder.Callback()).ok());
  ASSERT_TRUE(collection_.PublishPreCreate(Make("a", "", "", "", 0, 0)).ok());
  Add(Make("a", "", "", "", 1, 1));
  EXPECT_THAT(recorder.Events(), ElementsAre("PRECREATE a"));
  EXPECT_TRUE(absl::IsInvalidArgument(collection_.PublishPreCreate(Container())));
}

TEST_F(CollectionTest, SubscribeNeedsAPublisherAndASelectorThatParses) {
  ASSERT_TRUE(collection_.Initialize().ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(
      collection_.Subscribe("s", {}, [](const PubSubEvent&) {}).status()));
  ContainerSelector bad;
  bad.where = "app in (";
  EXPECT_TRUE(absl::IsInvalidArgument(collection_.GetContainersBySelector(bad).status()));
  EXPECT_TRUE(
      absl::IsInvalidArgument(collection_.Subscribe("s", bad, [](const PubSubEvent&) {}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(collection_.Subscribe("s", {}, nullptr).status()));
}

TEST_F(CollectionTest, EverythingMayBeCalledFromInsideACallback) {
  Recorder recorder;
  ASSERT_TRUE(collection_.Initialize(WithPubSub()).ok());
  int calls = 0;
  ASSERT_TRUE(
      collection_
          .Subscribe("s", {},
                     [&](const PubSubEvent& event) {
                       ++calls;
                       if (event.container->runtime.container_id != "a" ||
                           event.type != EventType::kCreated) {
                         return;
                       }
                       EXPECT_TRUE(collection_.AddContainer(Make("b", "", "", "", 2, 2)).ok());
                       EXPECT_TRUE(collection_
                                       .UpdateContainer("b",
                                                        [](Container* c) {
                                                          c->netns = 9;
                                                          return true;
                                                        })
                                       .ok());
                       EXPECT_TRUE(collection_.RemoveContainer("b").ok());
                       EXPECT_TRUE(collection_.Subscribe("t", {}, recorder.Callback()).ok());
                       EXPECT_TRUE(collection_.Unsubscribe("s").ok());
                     })
          .ok());
  Add(Make("a", "", "", "", 1, 1));
  Add(Make("c", "", "", "", 3, 3));
  EXPECT_THAT(recorder.Events(), ElementsAre("CREATED c"));
  EXPECT_EQ(calls, 1);
}

TEST_F(CollectionTest, OptionsReportTheirOwnMisuse) {
  const std::vector<std::vector<Option>> wrong = {
      {WithNodeName("")},
      {WithPubSub(), WithPubSub()},
      {WithTracerCollection(nullptr)},
      {WithRemovedContainers(absl::ZeroDuration())},
      {WithEnricher("x", nullptr)},
      {WithOwnerSource(nullptr)},
      {WithPubSub({nullptr})},
      {WithHost(), WithHost()},
  };
  for (const std::vector<Option>& options : wrong) {
    const absl::Status status = collection_.Initialize(options);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << options.back().name();
    EXPECT_THAT(std::string(status.message()), HasSubstr(options.back().name()));
  }
  EXPECT_TRUE(collection_.Initialize(WithNodeName("n")).ok());
}

// Part 2: an error in Initialize leaks what was already started.
TEST_F(CollectionTest, AFailedInitializeUndoesWhatWasStarted) {
  std::vector<std::string> log;
  const auto stage = [&](std::string name, absl::Status result) {
    return Option(name, [&log, name, result](CollectionSetup& setup) {
      setup.AddStarter(
          name,
          [&log, &setup, name, result] {
            log.push_back("start " + name);
            // What comes in before the failure must not stay.
            setup.collection().AddContainer(Make("early-" + name, "", "", "", 1, 1)).IgnoreError();
            return result;
          },
          [&log, name] { log.push_back("stop " + name); });
      setup.AddCleanup([&log, name] { log.push_back("clean " + name); });
      return absl::OkStatus();
    });
  };
  const absl::Status status = collection_.Initialize(
      stage("one", absl::OkStatus()), stage("two", absl::OkStatus()),
      stage("three", absl::UnavailableError("no such device")), stage("four", absl::OkStatus()));
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("three: no such device"));
  EXPECT_THAT(log, ElementsAre("start one", "start two", "start three", "stop two", "stop one",
                               "clean four", "clean three", "clean two", "clean one"));
  EXPECT_EQ(collection_.ContainerLen(), 0u);
  log.clear();
  ASSERT_TRUE(collection_.Initialize(stage("one", absl::OkStatus())).ok());
  EXPECT_EQ(collection_.ContainerLen(), 1u);
  collection_.Close();
  EXPECT_THAT(log, ElementsAre("start one", "stop one", "clean one"));
}

// Part 2: the enricher list grows while the hook is running; the initial list is taken before the
// hook starts.
TEST_F(CollectionTest, EveryContainerPassesEveryEnricherWhateverTheOrderOfOptions) {
  std::vector<std::string> order;
  Option hook("WithHook", [&](CollectionSetup& setup) {
    setup.AddStarter(
        "hook",
        [&order, &setup] {
          order.push_back("hook");
          return setup.collection().AddContainer(Make("early", "", "", "", 1, 1));
        },
        nullptr);
    return absl::OkStatus();
  });
  Option initial("WithInitial", [&](CollectionSetup& setup) {
    setup.AddInitialContainers("engine", [&]() -> absl::StatusOr<std::vector<Container>> {
      order.push_back("list");
      return std::vector<Container>{Make("early", "", "", "", 1, 1), Make("old", "", "", "", 2, 2)};
    });
    return absl::OkStatus();
  });
  std::vector<std::string> enriched;
  Recorder recorder;
  ASSERT_TRUE(collection_
                  .Initialize(initial, hook,
                              WithEnricher("late",
                                           [&](Container* c) {
                                             enriched.push_back(c->runtime.container_id);
                                             return true;
                                           }),
                              WithPubSub({recorder.Callback()}))
                  .ok());
  EXPECT_THAT(order, ElementsAre("hook", "list"));
  EXPECT_THAT(enriched, ElementsAre("early", "old"));
  EXPECT_THAT(recorder.Events(), ElementsAre("CREATED early", "CREATED old"));
}

TEST_F(CollectionTest, AContainerThatEndsBetweenTheListAndItsAddIsNotKept) {
  Option engine("WithEngine", [&](CollectionSetup& setup) {
    setup.AddInitialContainers("engine", [&]() -> absl::StatusOr<std::vector<Container>> {
      std::vector<Container> list = {Make("gone", "", "", "", 1, 1),
                                     Make("here", "", "", "", 2, 2)};
      // The hook says so while the list is on its way.
      EXPECT_TRUE(absl::IsNotFound(collection_.RemoveContainer("gone")));
      return list;
    });
    return absl::OkStatus();
  });
  ASSERT_TRUE(collection_.Initialize(engine).ok());
  EXPECT_EQ(collection_.GetContainer("gone"), nullptr);
  EXPECT_NE(collection_.GetContainer("here"), nullptr);
}

TEST_F(CollectionTest, AnInitialListThatFailsIsAWarning) {
  std::vector<std::string> warnings;
  Option engine("WithEngine", [](CollectionSetup& setup) {
    setup.AddInitialContainers("docker", []() -> absl::StatusOr<std::vector<Container>> {
      return absl::UnavailableError("connection refused");
    });
    return absl::OkStatus();
  });
  ASSERT_TRUE(collection_
                  .Initialize(engine, WithWarningHandler([&](std::string_view text) {
                                warnings.emplace_back(text);
                              }))
                  .ok());
  EXPECT_THAT(warnings, ElementsAre("initial containers of docker: connection refused"));
  EXPECT_EQ(collection_.GetStats().warnings, 1u);
}

TEST_F(CollectionTest, WithHostAddsTheHost) {
  ASSERT_TRUE(collection_.Initialize(WithHost()).ok());
  const ContainerPtr host = collection_.LookupContainerByPid(1);
  ASSERT_NE(host, nullptr);
  EXPECT_EQ(host->k8s.container_name, "host");
  EXPECT_EQ(host->cgroup_id, 1u);
  EXPECT_TRUE(host->UsesHostNetwork());
}

TEST_F(CollectionTest, RangesSeeEachContainerOnce) {
  ASSERT_TRUE(collection_.Initialize().ok());
  for (int i = 0; i < 100; ++i) {
    Add(Make(absl::StrCat("c", i), i % 2 == 0 ? "even" : "odd", "p", "c", i + 1, 1));
  }
  std::set<std::string> seen;
  collection_.ContainerRange([&](const ContainerPtr& c) {
    EXPECT_TRUE(seen.insert(c->runtime.container_id).second);
    // Changing the collection from here is allowed.
    EXPECT_TRUE(collection_.RemoveContainer(c->runtime.container_id).ok());
  });
  EXPECT_EQ(seen.size(), 100u);
  EXPECT_EQ(collection_.ContainerLen(), 0u);
  int odd = 0;
  for (int i = 0; i < 10; ++i)
    Add(Make(absl::StrCat("d", i), i % 2 == 0 ? "even" : "odd", "", "", 1, 1));
  ContainerSelector selector;
  selector.k8s.namespace_name = "odd";
  EXPECT_TRUE(
      collection_.ContainerRangeWithSelector(selector, [&](const ContainerPtr&) { ++odd; }).ok());
  EXPECT_EQ(odd, 5);
}

TEST_F(CollectionTest, CloseEndsSubscriptionsWithoutDeletedEvents) {
  Recorder recorder;
  ASSERT_TRUE(collection_.Initialize(WithPubSub({recorder.Callback()})).ok());
  Add(Make("a", "", "", "", 1, 1));
  collection_.Close();
  collection_.Close();
  EXPECT_THAT(recorder.Events(), ElementsAre("CREATED a"));
  EXPECT_EQ(collection_.ContainerLen(), 0u);
}

class FakeOwners : public OwnerSource {
 public:
  absl::StatusOr<std::vector<OwnerReference>> OwnerReferences(std::string_view,
                                                              std::string_view resource,
                                                              std::string_view,
                                                              std::string_view) override {
    ++calls;
    if (fail) return absl::UnavailableError("API server away");
    if (resource != "pods") return std::vector<OwnerReference>{};
    return std::vector<OwnerReference>{{"apps/v1", "DaemonSet", "agent", "u", true}};
  }
  int calls = 0;
  bool fail = false;
};

TEST_F(CollectionTest, CloseFromInsideACallbackReturnsAndEverythingAfterItIsAnError) {
  std::latch closed(1);
  absl::Status inside;
  ASSERT_TRUE(collection_
                  .Initialize(WithPubSub({[&](const PubSubEvent&) {
                    EXPECT_TRUE(absl::IsFailedPrecondition(collection_.Initialize()));
                    collection_.Close();
                    inside = collection_.AddContainer(Make("b", "", "", "", 2, 2));
                    closed.count_down();
                  }}))
                  .ok());
  collection_.AddContainer(Make("a", "", "", "", 1, 1)).IgnoreError();
  closed.wait();
  EXPECT_TRUE(absl::IsFailedPrecondition(inside)) << inside;
  EXPECT_EQ(collection_.ContainerLen(), 0u);
}

TEST_F(CollectionTest, CloseFromInsideAnEnricherLeavesItsContainerOut) {
  ASSERT_TRUE(collection_
                  .Initialize(WithEnricher("closer",
                                           [&](Container*) {
                                             collection_.Close();
                                             return true;
                                           }))
                  .ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(collection_.AddContainer(Make("a", "", "", "", 1, 1))));
  EXPECT_EQ(collection_.ContainerLen(), 0u);
}

TEST_F(CollectionTest, AnOwnerIsAskedForOnceAndRemembered) {
  auto owners = std::make_shared<FakeOwners>();
  Recorder recorder;
  ASSERT_TRUE(
      collection_.Initialize(WithOwnerSource(owners), WithPubSub({recorder.Callback()})).ok());
  Add(Make("a", "ns", "pod", "c", 1, 1));
  Add(Make("b", "", "", "c", 2, 1));
  EXPECT_EQ(collection_.LookupOwnerReferenceByMntns(3), std::nullopt);
  EXPECT_EQ(collection_.LookupOwnerReferenceByMntns(2), std::nullopt);
  owners->fail = true;
  EXPECT_EQ(collection_.LookupOwnerReferenceByMntns(1), std::nullopt);
  owners->fail = false;
  ASSERT_TRUE(collection_.LookupOwnerReferenceByMntns(1).has_value());
  const int calls = owners->calls;
  EXPECT_EQ(collection_.LookupOwnerReferenceByMntns(1)->name, "agent");
  EXPECT_EQ(owners->calls, calls);
  EXPECT_EQ(collection_.GetContainer("a")->K8sOwnerReference()->kind, "DaemonSet");
  EXPECT_THAT(recorder.Events(), ElementsAre("CREATED a", "CREATED b"));
}

}  // namespace
}  // namespace roster

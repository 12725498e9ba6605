// Adds, removals and updates: which are refused, and what they make of the collection.
#include <malloc.h>

#include <atomic>
#include <latch>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "collection_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "roster/collection.h"

namespace roster {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CollectionChanges : public CollectionTest {};

TEST_F(CollectionChanges, AnInvalidIdIsRefused) {
  ASSERT_TRUE(collection_.Initialize().ok());
  for (const char* id : {"", ".", "..", "a/b", "a b", "a\n", "\xff"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(collection_.AddContainer(Make(id, "", "", "", 1, 1))))
        << id;
  }
  EXPECT_EQ(collection_.GetStats().invalid, 7u);
}

// Part 2: a duplicate add runs all enrichers.
TEST_F(CollectionChanges, ADuplicateAddRunsNoEnricherAndAnnouncesNothing) {
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

TEST_F(CollectionChanges, TheSameIdUnderTwoRuntimesIsTwoContainers) {
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

TEST_F(CollectionChanges, TheContainerThatIsLikeAnotherIsToldFromOneOfTheSameId) {
  ASSERT_TRUE(collection_.Initialize().ok());
  Add(Make("same", "", "", "first", 1, 1));
  Add(Make("same", "", "", "listed", 2, 2));  // by an engine: without a handle
  Container like = Make("same", "", "", "", 2, 0);
  like.handle = 200;
  ASSERT_TRUE(collection_
                  .UpdateContainer(like,
                                   [](Container* c) {
                                     c->k8s.pod_name = "pod";
                                     return true;
                                   })
                  .ok());
  EXPECT_EQ(collection_.LookupContainerByMntns(2)->k8s.pod_name, "pod");
  EXPECT_EQ(collection_.LookupContainerByMntns(1)->k8s.pod_name, "");
  ASSERT_TRUE(collection_.RemoveContainer(like).ok());
  EXPECT_EQ(collection_.LookupContainerByMntns(2), nullptr);
  EXPECT_NE(collection_.LookupContainerByMntns(1), nullptr);
  EXPECT_TRUE(absl::IsNotFound(collection_.RemoveContainer(like)));
}

TEST_F(CollectionChanges, AHandleSaysMoreThanTheAbsenceOfContradictions) {
  ASSERT_TRUE(collection_.Initialize().ok());
  // Listed by another engine, which told no namespace.
  Add(Make("same", "", "", "foreign", 0, 0, 10));
  Container ours = Make("same", "", "", "ours", 2, 0, 20);
  ours.handle = 200;
  Add(ours);
  Container like = Make("same", "", "", "", 0, 0);
  like.handle = 200;
  ASSERT_TRUE(collection_.RemoveContainer(like).ok());
  EXPECT_EQ(collection_.LookupContainerByHandle(200), nullptr);
  EXPECT_EQ(collection_.GetContainer("same")->k8s.container_name, "foreign");
}

TEST_F(CollectionChanges, AnEnricherThatSaysNoDropsTheContainer) {
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

TEST_F(CollectionChanges, AContainerRemovedWhileItsEnrichersRunIsNotLeftBehind) {
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

TEST_F(CollectionChanges, ARestartUnderTheSameIdDoesNotWaitForItsPredecessorsEnd) {
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

TEST_F(CollectionChanges, AContainerHoldsNoMemoryForFurtherLabels) {
  ASSERT_TRUE(collection_.Initialize().ok());
  Container a = Make("a", "", "", "", 1, 1);
  // One by one, as engines and records give them.
  for (const char* key : {"a", "b", "c", "d", "e"}) a.k8s.pod_labels[key] = "x";
  Add(std::move(a));
  const ContainerPtr added = collection_.GetContainer("a");
  const Labels& labels = added->k8s.pod_labels;
  ASSERT_EQ(labels.size(), 5u);
  EXPECT_LT(malloc_usable_size(const_cast<Labels::value_type*>(&*labels.begin())),
            6 * sizeof(Labels::value_type));
}

// Part 2: two removals publish two DELETED events.
TEST_F(CollectionChanges, TwoRemovalsPublishOneDeletedEvent) {
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

TEST_F(CollectionChanges, AnUpdateMovesTheContainerInEveryIndex) {
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

}  // namespace
}  // namespace roster

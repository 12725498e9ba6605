// What subscribers are told, and what they may do meanwhile.
#include <string>

#include "collection_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "roster/collection.h"

namespace roster {
namespace {

using ::testing::ElementsAre;

class CollectionEvents : public CollectionTest {};

TEST_F(CollectionEvents, AContainerCanBeFoundInItsDeletedEvent) {
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

TEST_F(CollectionEvents, AnUpdateWithoutADifferenceIsNoEvent) {
  Recorder recorder;
  ASSERT_TRUE(collection_.Initialize(WithPubSub({recorder.Callback()})).ok());
  Add(Make("a", "", "", "", 1, 1));
  ASSERT_TRUE(collection_.UpdateContainer(Make("a", "", "", "", 1, 1)).ok());
  ASSERT_TRUE(collection_.UpdateContainer("a", [](Container*) { return false; }).ok());
  EXPECT_THAT(recorder.Events(), ElementsAre("CREATED a"));
}

// Part 2: selectors are evaluated once, at add.
TEST_F(CollectionEvents, AnUpdateIsSeenThroughTheSubscribersSelector) {
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

TEST_F(CollectionEvents, PreCreateIsNotFilteredAndNotStored) {
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

TEST_F(CollectionEvents, SubscribeNeedsAPublisherAndASelectorThatParses) {
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

TEST_F(CollectionEvents, EverythingMayBeCalledFromInsideACallback) {
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

}  // namespace
}  // namespace roster

// Initialize and Close: their order, their misuse, and what a failure leaves.
#include <latch>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "collection_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "roster/collection.h"

namespace roster {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class CollectionLife : public CollectionTest {};

TEST_F(CollectionLife, ChangesBeforeInitializeAndAfterCloseAreErrors) {
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

TEST_F(CollectionLife, InitializingTwiceIsAnError) {
  ASSERT_TRUE(collection_.Initialize().ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(collection_.Initialize()));
}

TEST_F(CollectionLife, OptionsReportTheirOwnMisuse) {
  const std::vector<std::vector<Option>> wrong = {
      {WithNodeName("")},
      {WithPubSub(), WithPubSub()},
      {WithTracerCollection(nullptr)},
      {WithTracerCollection(std::make_shared<TracerCollection>(nullptr), -absl::Seconds(1))},
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
TEST_F(CollectionLife, AFailedInitializeUndoesWhatWasStarted) {
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

TEST_F(CollectionLife, CloseEndsSubscriptionsWithoutDeletedEvents) {
  Recorder recorder;
  ASSERT_TRUE(collection_.Initialize(WithPubSub({recorder.Callback()})).ok());
  Add(Make("a", "", "", "", 1, 1));
  collection_.Close();
  collection_.Close();
  EXPECT_THAT(recorder.Events(), ElementsAre("CREATED a"));
  EXPECT_EQ(collection_.ContainerLen(), 0u);
}

TEST_F(CollectionLife, CloseFromInsideACallbackReturnsAndEverythingAfterItIsAnError) {
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

TEST_F(CollectionLife, CloseFromInsideAnEnricherLeavesItsContainerOut) {
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

}  // namespace
}  // namespace roster

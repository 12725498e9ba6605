// Containers that were there before the collection.
#include <string>
#include <string_view>
#include <vector>

#include "collection_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "roster/collection.h"

namespace roster {
namespace {

using ::testing::ElementsAre;

class InitialContainers : public CollectionTest {};

// Part 2: the enricher list grows while the hook is running; the initial list is taken before the
// hook starts.
TEST_F(InitialContainers, EveryContainerPassesEveryEnricherWhateverTheOrderOfOptions) {
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

TEST_F(InitialContainers, AContainerThatEndsBetweenTheListAndItsAddIsNotKept) {
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

TEST_F(InitialContainers, AContainerThatWasAddedAndEndedMeanwhileIsNotAnnouncedAgain) {
  Recorder recorder;
  Option engine("WithEngine", [&](CollectionSetup& setup) {
    setup.AddInitialContainers("engine", [&]() -> absl::StatusOr<std::vector<Container>> {
      std::vector<Container> list = {Make("gone", "", "", "", 1, 1)};
      // The hook was faster, in everything.
      EXPECT_TRUE(collection_.AddContainer(Make("gone", "", "", "", 1, 1)).ok());
      EXPECT_TRUE(collection_.RemoveContainer("gone").ok());
      return list;
    });
    return absl::OkStatus();
  });
  ASSERT_TRUE(collection_.Initialize(WithPubSub({recorder.Callback()}), engine).ok());
  EXPECT_EQ(collection_.ContainerLen(), 0u);
  EXPECT_THAT(recorder.Events(), ElementsAre("CREATED gone", "DELETED gone"));
}

TEST_F(InitialContainers, AContainerThatEndsWhileItIsBeingAddedIsNotBroughtByAList) {
  Option engine("WithEngine", [&](CollectionSetup& setup) {
    setup.AddInitialContainers("engine", [&]() -> absl::StatusOr<std::vector<Container>> {
      std::vector<Container> list = {Make("gone", "", "", "", 1, 1)};
      EXPECT_TRUE(absl::IsAborted(collection_.AddContainer(Make("gone", "", "", "", 1, 1))));
      return list;
    });
    return absl::OkStatus();
  });
  int enriched = 0;
  const auto slow = [&](Container*) {
    // The hook says so while this runs.
    if (++enriched == 1) {
      EXPECT_TRUE(collection_.RemoveContainer("gone").ok());
    }
    return true;
  };
  ASSERT_TRUE(collection_.Initialize(engine, WithEnricher("slow", slow)).ok());
  EXPECT_EQ(enriched, 2);
  EXPECT_EQ(collection_.ContainerLen(), 0u);
}

TEST_F(InitialContainers, AnInitialListThatFailsIsAWarning) {
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

TEST_F(InitialContainers, WithHostAddsTheHost) {
  ASSERT_TRUE(collection_.Initialize(WithHost()).ok());
  const ContainerPtr host = collection_.LookupContainerByPid(1);
  ASSERT_NE(host, nullptr);
  EXPECT_EQ(host->k8s.container_name, "host");
  EXPECT_EQ(host->cgroup_id, 1u);
  EXPECT_TRUE(host->UsesHostNetwork());
}

}  // namespace
}  // namespace roster

// Podman's replies, as podman 4.3 gave them and as none should.
#include "enrich/podman_json.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "recorded.h"

namespace roster {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(PodmanList, RecordedListIsRead) {
  const auto list = ParsePodmanList(Recorded("podman_list.json"));
  ASSERT_TRUE(list.ok()) << list.status();
  ASSERT_EQ(list->size(), 2u);
  const EngineContainer& first = list->front();
  EXPECT_EQ(first.id, kRecordedPodman);
  EXPECT_EQ(first.name, "web-podman");
  EXPECT_EQ(first.state, EngineState::kRunning);
  EXPECT_EQ(first.pid, 28605u);
  EXPECT_EQ(first.image_name, "localhost/roster-test:1");
  EXPECT_EQ(first.image_id, kRecordedImage);
  EXPECT_EQ(first.started_at, 1795519809000000000);
  EXPECT_EQ(list->back().labels.at("team"), "red");
}

TEST(PodmanList, NullIsAnEmptyList) {
  const auto list = ParsePodmanList("null");
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_THAT(*list, IsEmpty());
}

TEST(PodmanList, AContainerThatNeverStartedHasNeitherPidNorStart) {
  const auto list = ParsePodmanList(
      R"([{"Id":"a","State":"created","Pid":0,"StartedAt":-62135596800},
          {"Id":"b","State":"exited","Pid":77,"StartedAt":9223372036854775807}])");
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_EQ((*list)[0].state, EngineState::kCreated);
  EXPECT_EQ((*list)[0].started_at, 0);
  EXPECT_EQ((*list)[1].pid, 0u);
  EXPECT_EQ((*list)[1].started_at, 0);
}

TEST(PodmanList, GarbageIsDataLoss) {
  for (const std::string& garbage : GarbageReplies()) {
    EXPECT_EQ(ParsePodmanList(garbage).status().code(), absl::StatusCode::kDataLoss)
        << garbage.substr(0, 40);
    EXPECT_FALSE(ParsePodmanInspect(garbage).ok()) << garbage.substr(0, 40);
  }
}

TEST(PodmanInspect, RecordedContainerIsCompleteAndItsImageIsTheNameNotTheId) {
  const auto container = ParsePodmanInspect(Recorded("podman_inspect.json"));
  ASSERT_TRUE(container.ok()) << container.status();
  EXPECT_EQ(container->name, "web-podman");
  EXPECT_EQ(container->image_name, "localhost/roster-test:1");
  EXPECT_EQ(container->image_id, kRecordedImage);
  EXPECT_EQ(container->image_digest, kRecordedDigest);
  EXPECT_EQ(container->pid, 28605u);
  EXPECT_EQ(container->started_at, 1795519809693955751);
  EXPECT_EQ(container->oci_runtime, "crun");
  EXPECT_THAT(container->cgroup_path,
              ::testing::EndsWith(std::string("/libpod-") + kRecordedPodman));
}

TEST(PodmanInspect, WrongTypesReadAsAbsent) {
  const auto container = ParsePodmanInspect(
      R"({"Id":"a","Name":[],"State":"running","Config":7,"Mounts":{},"ImageDigest":null})");
  ASSERT_TRUE(container.ok()) << container.status();
  EXPECT_EQ(*container, EngineContainer{.id = "a"});
}

TEST(PodmanImage, DigestAndPodLabels) {
  EXPECT_EQ(*ParsePodmanImageDigest(Recorded("podman_image.json")), kRecordedDigest);
  EXPECT_EQ(*ParsePodmanImageDigest("{}"), "");
  EXPECT_FALSE(ParsePodmanImageDigest("[]").ok());
  EXPECT_THAT(*ParsePodmanPodLabels(R"({"Labels":{"app":"web","n":1}})"),
              ElementsAre(Pair("app", "web")));
}

}  // namespace
}  // namespace roster

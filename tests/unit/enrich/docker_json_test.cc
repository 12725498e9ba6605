// Docker's replies, as dockerd 20.10 gave them and as none should.
#include "enrich/docker_json.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "recorded.h"

namespace roster {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(DockerList, RecordedListHasEveryContainerWithItsState) {
  const auto list = ParseDockerList(Recorded("docker_list.json"));
  ASSERT_TRUE(list.ok()) << list.status();
  std::map<std::string, EngineState> states;
  for (const EngineContainer& container : *list) states[container.name] = container.state;
  EXPECT_THAT(
      states,
      ElementsAre(Pair("ended", EngineState::kExited), Pair("made", EngineState::kCreated),
                  Pair("paused", EngineState::kPaused), Pair("web-docker", EngineState::kRunning)));
  const EngineContainer& running = list->back();
  EXPECT_EQ(running.id, kRecordedDocker);
  EXPECT_EQ(running.image_name, "localhost/roster-test:1");
  EXPECT_EQ(running.image_id, std::string("sha256:") + kRecordedImage);
  EXPECT_EQ(running.labels.at("made-by"), "roster-engines");
  EXPECT_FALSE(running.is_sandbox);
}

TEST(DockerStates, WhatHasNoProcessDoesNotRun) {
  const std::pair<const char*, EngineState> states[] = {
      {"created", EngineState::kCreated},  {"running", EngineState::kRunning},
      {"paused", EngineState::kPaused},    {"exited", EngineState::kExited},
      {"dead", EngineState::kExited},      {"restarting", EngineState::kUnknown},
      {"removing", EngineState::kUnknown},
  };
  for (const auto& [name, state] : states) {
    const auto list = ParseDockerList(absl::StrCat(R"([{"Id":"a","State":")", name, R"("}])"));
    ASSERT_TRUE(list.ok()) << list.status();
    EXPECT_EQ(list->front().state, state) << name;
    const auto inspected = ParseDockerInspect(
        absl::StrCat(R"({"Id":"a","State":{"Status":")", name, R"(","Pid":0}})"));
    ASSERT_TRUE(inspected.ok()) << inspected.status();
    EXPECT_EQ(inspected->state, state) << name;
    EXPECT_EQ(inspected->pid, 0u);
  }
}

TEST(DockerList, BadElementsAreSkippedAndTheRestKept) {
  const auto list = ParseDockerList(
      R"([7, null, {}, {"Id":9}, {"Id":"a","Names":"x","Labels":[1],"State":3,"Image":{}},
          {"Id":"b","Names":["/one/two","/three"],"Labels":{"k":"v","n":4}}])");
  ASSERT_TRUE(list.ok()) << list.status();
  ASSERT_EQ(list->size(), 2u);
  EXPECT_EQ((*list)[0].id, "a");
  EXPECT_EQ((*list)[0].state, EngineState::kUnknown);
  EXPECT_EQ((*list)[1].name, "three");
  EXPECT_THAT((*list)[1].labels, ElementsAre(Pair("k", "v")));
}

TEST(DockerList, GarbageIsDataLossOrAnEmptyList) {
  for (const std::string& garbage : GarbageReplies()) {
    const auto list = ParseDockerList(garbage);
    EXPECT_EQ(list.status().code(), absl::StatusCode::kDataLoss) << garbage.substr(0, 40);
  }
}

TEST(DockerInspect, RecordedContainerIsComplete) {
  const auto container = ParseDockerInspect(Recorded("docker_inspect.json"));
  ASSERT_TRUE(container.ok()) << container.status();
  EXPECT_EQ(container->id, kRecordedDocker);
  EXPECT_EQ(container->name, "web-docker");
  EXPECT_EQ(container->state, EngineState::kRunning);
  EXPECT_EQ(container->pid, 28564u);
  EXPECT_EQ(container->started_at, 1795519809229366106);
  EXPECT_EQ(container->image_id, std::string("sha256:") + kRecordedImage);
  EXPECT_EQ(container->oci_runtime, "runc");
}

TEST(DockerInspect, GarbageIsDataLoss) {
  for (const std::string& garbage : GarbageReplies()) {
    const auto container = ParseDockerInspect(garbage);
    EXPECT_FALSE(container.ok()) << garbage.substr(0, 40);
  }
}

TEST(DockerInspect, NumbersOutOfRangeReadAsUnknown) {
  for (const char* pid :
       {"0", "-5", "18446744073709551615", "1e300", "\"12\"", "null", "4194305"}) {
    const auto container =
        ParseDockerInspect(std::string(R"({"Id":"a","State":{"Pid":)") + pid + "}}");
    ASSERT_TRUE(container.ok()) << container.status();
    EXPECT_EQ(container->pid, 0u) << pid;
  }
  const auto never = ParseDockerInspect(
      R"({"Id":"a","State":{"StartedAt":"0001-01-01T00:00:00Z"},"Config":null,"Mounts":null})");
  ASSERT_TRUE(never.ok()) << never.status();
  EXPECT_EQ(never->started_at, 0);
}

TEST(DockerInspect, MountsOfAVolumeAndABind) {
  const auto container = ParseDockerInspect(
      R"({"Id":"a","Mounts":[{"Source":"/srv","Destination":"/data"},{"Source":"/x"},5]})");
  ASSERT_TRUE(container.ok()) << container.status();
  EXPECT_THAT(container->mounts, ElementsAre(Pair("/srv", "/data")));
}

TEST(DockerImage, DigestIsThatOfTheRepositoryOfTheName) {
  const std::string image =
      R"({"RepoDigests":["mirror/app@sha256:1","app@sha256:2","application@sha256:3",7,"bad"]})";
  EXPECT_EQ(*ParseDockerImageDigest(image, "app:4"), "sha256:2");
  EXPECT_EQ(*ParseDockerImageDigest(image, "application"), "sha256:3");
  EXPECT_EQ(*ParseDockerImageDigest(image, "other"), "sha256:1");
  EXPECT_EQ(*ParseDockerImageDigest(R"({"RepoDigests":null})", "app"), "");
  EXPECT_EQ(*ParseDockerImageDigest(Recorded("docker_image.json"), "localhost/roster-test:1"), "");
  EXPECT_EQ(ParseDockerImageDigest("[]", "app").status().code(), absl::StatusCode::kDataLoss);
}

TEST(DockerImage, NameWithDigestIsSplit) {
  EngineContainer container;
  SetDockerImage("busybox:1@sha256:ab", &container);
  EXPECT_EQ(container.image_name, "busybox:1");
  EXPECT_EQ(container.image_digest, "sha256:ab");
}

TEST(DockerLabels, KubeletsLabelsAndTheSandbox) {
  EngineContainer container;
  SetDockerLabels({{"io.kubernetes.container.name", "c"},
                   {"io.kubernetes.pod.name", "p"},
                   {"io.kubernetes.pod.namespace", "n"},
                   {"io.kubernetes.pod.uid", "u"},
                   {"io.kubernetes.docker.type", "podsandbox"},
                   {"io.kubernetes.sandbox.id", "s"}},
                  &container);
  EXPECT_EQ(container.k8s_container_name, "c");
  EXPECT_EQ(container.k8s_pod_name, "p");
  EXPECT_EQ(container.k8s_namespace, "n");
  EXPECT_EQ(container.k8s_pod_uid, "u");
  EXPECT_EQ(container.sandbox, "s");
  EXPECT_TRUE(container.is_sandbox);
  EXPECT_THAT(DockerName({}), IsEmpty());
}

}  // namespace
}  // namespace roster

// The late stage: its queue, its patience, and whom it asks.
#include "enrich/enricher.h"

#include <unistd.h>

#include <atomic>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "fake_cri_engine.h"
#include "fake_http_engine.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "late_result.h"
#include "recorded.h"
#include "temporary_directory.h"

namespace roster {
namespace {

using ::testing::ElementsAre;
using testing::Enriched;
using ::testing::IsEmpty;
using ::testing::Pair;

Container Named(const std::string& runtime, const std::string& id) {
  Container container;
  container.runtime.runtime_name = runtime;
  container.runtime.container_id = id;
  return container;
}

std::string DockerAnswers(const std::string& path) {
  return FakeHttpEngine::Reply(
      Recorded(path.find("/images/") == 0 ? "docker_image.json" : "docker_list.json"));
}

class Late : public ::testing::Test {
 protected:
  LateEnricherOptions Options() const {
    LateEnricherOptions options;
    options.sockets = {.docker = {directory_.path() + "/docker.sock"},
                       .containerd = {directory_.path() + "/containerd.sock"},
                       .podman = {directory_.path() + "/podman.sock"},
                       .crio = {directory_.path() + "/crio.sock"}};
    options.retries = {absl::Milliseconds(20), absl::Milliseconds(20), absl::Milliseconds(20)};
    return options;
  }

  TemporaryDirectory directory_;
};

TEST_F(Late, DockerContainerGetsItsNameAndImage) {
  FakeHttpEngine fake(directory_.path() + "/docker.sock", DockerAnswers);
  LateEnricher late(Options());
  const LateResult result = Enriched(&late, Named("docker", kRecordedDocker));
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_TRUE(result.changed);
  EXPECT_EQ(result.container.runtime.container_name, "web-docker");
  EXPECT_EQ(result.container.runtime.container_image_name, "localhost/roster-test:1");
}

TEST_F(Late, ContainerOfAnUnknownRuntimeIsLookedForByItsLongIdOnly) {
  FakeHttpEngine fake(directory_.path() + "/docker.sock", DockerAnswers);
  LateEnricher late(Options());
  EXPECT_EQ(Enriched(&late, Named("runc", kRecordedDocker)).container.runtime.container_name,
            "web-docker");
  const size_t before = fake.requests().size();
  const LateResult result = Enriched(&late, Named("runc", "web"));
  EXPECT_TRUE(absl::IsNotFound(result.status)) << result.status;
  EXPECT_FALSE(result.changed);
  EXPECT_EQ(fake.requests().size(), before);
}

TEST_F(Late, CompleteContainerIsNotAskedFor) {
  FakeHttpEngine fake(directory_.path() + "/docker.sock", DockerAnswers);
  LateEnricher late(Options());
  Container container = Named("docker", kRecordedDocker);
  container.runtime.container_name = "n";
  container.runtime.container_image_name = "i";
  container.runtime.container_image_digest = "d";
  const LateResult result = Enriched(&late, container);
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_FALSE(result.changed);
  EXPECT_THAT(fake.requests(), IsEmpty());
}

TEST_F(Late, EngineThatDoesNotAnswerAtFirstIsAskedAgain) {
  std::atomic<int> requests = 0;
  FakeHttpEngine fake(directory_.path() + "/docker.sock", [&](const std::string& path) {
    return ++requests <= 2 ? std::string() : DockerAnswers(path);
  });
  LateEnricher late(Options());
  const LateResult result = Enriched(&late, Named("docker", kRecordedDocker));
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.container.runtime.container_name, "web-docker");
  EXPECT_EQ(late.Stats().failures, 2u);
}

TEST_F(Late, WhatIsThereIsGivenAtOnceAndTheImageAskedForAgain) {
  std::atomic<int> images = 0;
  const std::string list = Recorded("docker_list.json");
  FakeHttpEngine fake(directory_.path() + "/docker.sock", [&](const std::string& path) {
    if (path.find("/images/") != 0) return FakeHttpEngine::Reply(list);
    return ++images == 1 ? FakeHttpEngine::Reply("{}", "500 Oh")
                         : FakeHttpEngine::Reply(R"({"RepoDigests":["x@sha256:d"]})");
  });
  LateEnricherOptions options = Options();
  // After a failure the engine is left alone about images for some times as long as that took.
  options.retries = {absl::Milliseconds(20), absl::Milliseconds(500), absl::Seconds(5),
                     absl::Seconds(5)};
  LateEnricher late(options);
  std::vector<LateResult> results;
  absl::Notification done;
  ASSERT_TRUE(late.Enqueue(Named("docker", kRecordedDocker),
                           [&](LateResult result) {
                             results.push_back(std::move(result));
                             if (results.back().last) done.Notify();
                           })
                  .ok());
  done.WaitForNotification();
  ASSERT_EQ(results.size(), 2u);
  EXPECT_FALSE(results[0].last);
  EXPECT_TRUE(results[0].changed);
  EXPECT_EQ(results[0].container.runtime.container_name, "web-docker");
  EXPECT_EQ(results[0].container.runtime.container_image_digest, "");
  EXPECT_TRUE(results[1].status.ok()) << results[1].status;
  EXPECT_EQ(results[1].container.runtime.container_image_digest, "sha256:d");
  EXPECT_GE(late.Stats().failures, 1u);
}

TEST_F(Late, AnImageThatIsNeverToldIsAnErrorInTheEnd) {
  FakeHttpEngine fake(directory_.path() + "/docker.sock", [&](const std::string& path) {
    return path.find("/images/") == 0 ? FakeHttpEngine::Reply("{}", "500 Oh") : DockerAnswers(path);
  });
  LateEnricher late(Options());
  const LateResult result = Enriched(&late, Named("docker", kRecordedDocker));
  EXPECT_TRUE(absl::IsUnavailable(result.status)) << result.status;
  EXPECT_EQ(result.container.runtime.container_name, "web-docker");
  EXPECT_GE(late.Stats().failures, 2u);
}

TEST_F(Late, EngineThatNeverComesIsAnErrorInTheEndAndNothingIsLost) {
  LateEnricher late(Options());
  const LateResult result = Enriched(&late, Named("docker", kRecordedDocker));
  EXPECT_TRUE(absl::IsUnavailable(result.status)) << result.status;
  EXPECT_EQ(result.container, Named("docker", kRecordedDocker));
}

TEST_F(Late, EngineThatComesLateIsAskedForAsLongAsTheContainerLives) {
  LateEnricherOptions options = Options();
  options.slowest = absl::Milliseconds(40);
  LateEnricher late(options);
  Container container = Named("docker", kRecordedDocker);
  container.runtime.container_pid = static_cast<uint32_t>(::getpid());
  absl::Notification gave_up;
  absl::Notification done;
  LateResult result;
  ASSERT_TRUE(late.Enqueue(container,
                           [&](LateResult r) {
                             const bool last = r.last;
                             result = std::move(r);
                             last ? done.Notify() : gave_up.Notify();
                           })
                  .ok());
  ASSERT_TRUE(gave_up.WaitForNotificationWithTimeout(absl::Seconds(60)));
  EXPECT_TRUE(absl::IsUnavailable(result.status)) << result.status;
  FakeHttpEngine fake(directory_.path() + "/docker.sock", DockerAnswers);
  done.WaitForNotification();
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.container.runtime.container_name, "web-docker");
}

TEST_F(Late, AContainerThatHasEndedIsAskedAboutNoMore) {
  std::atomic<bool> lives = true;
  LateEnricherOptions options = Options();
  options.slowest = absl::Milliseconds(40);
  options.lives = [&](const Container&) { return lives.load(); };
  LateEnricher late(options);
  std::vector<absl::Status> statuses;
  absl::Notification done;
  ASSERT_TRUE(late.Enqueue(Named("docker", kRecordedDocker),
                           [&](const LateResult& r) {
                             statuses.push_back(r.status);
                             lives = false;
                             if (r.last) done.Notify();
                           })
                  .ok());
  done.WaitForNotification();
  ASSERT_EQ(statuses.size(), 2u);
  EXPECT_TRUE(absl::IsUnavailable(statuses[0])) << statuses[0];
  EXPECT_TRUE(absl::IsNotFound(statuses[1])) << statuses[1];
}

TEST_F(Late, ThoseThatWaitForAnEngineLeaveRoomForOthers) {
  LateEnricherOptions options = Options();
  options.max_queue = 4;
  options.lives = [](const Container&) { return true; };
  LateEnricher late(options);
  int slow = 0;
  for (int i = 0; i < 3; ++i) {
    absl::Notification gave_up;
    bool last = false;
    ASSERT_TRUE(late.Enqueue(Named("docker", kRecordedDocker),
                             [&](const LateResult& r) {
                               last = r.last;
                               gave_up.Notify();
                             })
                    .ok());
    gave_up.WaitForNotification();
    slow += last ? 0 : 1;
  }
  EXPECT_EQ(slow, 2);
}

TEST_F(Late, EngineThatAnswersGarbageDoesNotStopTheOthers) {
  FakeHttpEngine garbage(directory_.path() + "/podman.sock",
                         [](const std::string&) { return FakeHttpEngine::Reply("garbage"); });
  FakeHttpEngine docker(directory_.path() + "/docker.sock", DockerAnswers);
  LateEnricher late(Options());
  EXPECT_TRUE(absl::IsDataLoss(Enriched(&late, Named("podman", kRecordedPodman)).status));
  EXPECT_EQ(Enriched(&late, Named("", kRecordedDocker)).container.runtime.container_name,
            "web-docker");
}

TEST_F(Late, SandboxIsSaidToBeOneAndAPodsContainerGetsItsLabels) {
  FakeCriEngine fake(directory_.path() + "/crio.sock");
  LateEnricher late(Options());
  EXPECT_TRUE(Enriched(&late, Named("cri-o", "sandbox-a")).is_sandbox);
  const LateResult result = Enriched(&late, Named("cri-o", "container-a"));
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_FALSE(result.is_sandbox);
  EXPECT_EQ(result.container.sandbox_id, "sandbox-a");
  EXPECT_EQ(result.container.k8s.pod_name, "pod-a");
  EXPECT_THAT(result.container.k8s.pod_labels, ElementsAre(Pair("app", "web")));
}

TEST_F(Late, FullQueueRefusesAndSaysSo) {
  FakeHttpEngine* self = nullptr;
  absl::Notification ready;
  FakeHttpEngine fake(directory_.path() + "/docker.sock", [&](const std::string&) {
    ready.WaitForNotification();
    self->Hang();
    return std::string();
  });
  self = &fake;
  ready.Notify();
  LateEnricherOptions options = Options();
  options.max_queue = 2;
  options.timeout = absl::Milliseconds(500);
  LateEnricher late(options);
  std::atomic<int> refused = 0;
  for (int i = 0; i < 4; ++i) {
    const absl::Status queued = late.Enqueue(Named("docker", kRecordedDocker), [](LateResult) {});
    if (absl::IsResourceExhausted(queued)) ++refused;
  }
  // One may be at work already.
  EXPECT_GE(refused, 1);
  EXPECT_EQ(late.Stats().refused, static_cast<uint64_t>(refused));
}

TEST_F(Late, DestructionDropsWhatIsNotDone) {
  std::atomic<int> done = 0;
  {
    LateEnricherOptions options = Options();
    options.retries = {absl::Hours(1)};
    LateEnricher late(options);
    for (int i = 0; i < 10; ++i) {
      ASSERT_TRUE(late.Enqueue(Named("docker", kRecordedDocker), [&](LateResult) { ++done; }).ok());
    }
  }
  EXPECT_EQ(done, 0);
}

TEST_F(Late, PodmansFilesGiveNameImageAndDigestWithoutItsService) {
  if (::geteuid() != 0) GTEST_SKIP() << "the files must be root's";
  directory_.Write("overlay-containers/containers.json", Recorded("podman_containers.json"));
  directory_.Write("overlay-images/images.json", Recorded("podman_images.json"));
  LateEnricher late(Options());
  Container container = Named("podman", kRecordedPodman);
  container.bundle =
      absl::StrCat(directory_.path(), "/overlay-containers/", kRecordedPodman, "/userdata");
  const LateResult result = Enriched(&late, container);
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.container.runtime.container_name, "web-podman");
  EXPECT_EQ(result.container.runtime.container_image_name, "localhost/roster-test:1");
  EXPECT_EQ(result.container.runtime.container_image_digest, kRecordedDigest);
}

}  // namespace
}  // namespace roster

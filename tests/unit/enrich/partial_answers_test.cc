// Engines that answer a part of a question: within its time, and without losing the rest.
#include <string>

#include "absl/strings/match.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "enrich/ask_engine.h"
#include "enrich/containerd_client.h"
#include "enrich/docker_client.h"
#include "enrich/podman_client.h"
#include "fake_containerd_engine.h"
#include "fake_http_engine.h"
#include "gtest/gtest.h"
#include "recorded.h"
#include "temporary_directory.h"

namespace roster {
namespace {

class PartialAnswers : public ::testing::Test {
 protected:
  EngineClientOptions Options(absl::Duration timeout = absl::Seconds(20)) const {
    return {.socket = socket_, .timeout = timeout};
  }

  // What becomes of a container of the pod "pod", of which only an image is not answered.
  static void ExpectItsPodsLabelsInTime(EngineClient* client, const std::string& id) {
    SCOPED_TRACE(client->Name());
    Container container;
    container.runtime.container_id = id;
    container.sandbox_id = "pod";
    const EngineAnswer answer = AskEngine(client, &container);
    EXPECT_TRUE(answer.status.ok()) << answer.status;
    EXPECT_TRUE(absl::IsUnavailable(answer.image_status)) << answer.image_status;
    EXPECT_EQ(container.runtime.container_image_name, "image:1");
    EXPECT_EQ(container.k8s.pod_labels, (Labels{{"app", "web"}}));
  }

  TemporaryDirectory directory_;
  const std::string socket_ = directory_.path() + "/engine.sock";
};

TEST_F(PartialAnswers, AnEngineThatListsAndHangsOnImagesCostsOneTimeoutInAll) {
  FakeHttpEngine* self = nullptr;
  absl::Notification ready;
  FakeHttpEngine fake(socket_, [&](const std::string& path) {
    if (path.find("/containers/json") == 0) {
      return FakeHttpEngine::Reply(Recorded("docker_list.json"));
    }
    ready.WaitForNotification();
    self->Hang();
    return std::string();
  });
  self = &fake;
  ready.Notify();
  const absl::Time start = absl::Now();
  DockerClient docker(Options(absl::Seconds(1)));
  const auto list = docker.List();
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_EQ(list->size(), 4u);  // each with an image
  EXPECT_LT(absl::Now() - start, absl::Seconds(3));
}

TEST_F(PartialAnswers, AllRequestsOfAQuestionShareItsTime) {
  FakeContainerdEngine fake(socket_);
  fake.SetFaults({.each_call = absl::Seconds(1)});
  ContainerdClient containerd(Options(absl::Seconds(3)));
  const auto container = containerd.Get("run");  // two calls, and two more for the image
  ASSERT_TRUE(container.ok()) << container.status();
  EXPECT_EQ(container->image_id, "");
  EXPECT_TRUE(absl::IsUnavailable(container->image_status)) << container->image_status;
  EXPECT_EQ(fake.image_calls(), 1);
  fake.SetFaults({});
  EXPECT_EQ(ContainerdClient(Options()).Get("run")->image_id, "sha256:config");
}

TEST_F(PartialAnswers, AnEngineThatHangsOnImagesHasTimeLeftForItsPods) {
  FakeContainerdEngine fake(socket_);
  fake.SetFaults({.images_hang = true});
  ContainerdClient containerd(Options(absl::Seconds(2)));
  ExpectItsPodsLabelsInTime(&containerd, "run");
  FakeHttpEngine* self = nullptr;
  FakeHttpEngine http(socket_ + "2", [&self](const std::string& path) {
    if (absl::StrContains(path, "/images/")) {
      self->HangThisOne();
      return std::string();
    }
    if (absl::StrContains(path, "/pods/pod/")) {
      return FakeHttpEngine::Reply(R"({"Labels":{"app":"web"}})");
    }
    return FakeHttpEngine::Reply(
        R"([{"Id":"a","Names":["a"],"Image":"image:1","ImageID":"i","State":"running"},)"
        R"({"Id":"pod","Names":["pod"],"State":"running",)"
        R"("Labels":{"io.kubernetes.docker.type":"podsandbox","app":"web"}}])");
  });
  self = &http;
  const EngineClientOptions options = {.socket = http.socket(), .timeout = absl::Seconds(2)};
  DockerClient docker(options);
  ExpectItsPodsLabelsInTime(&docker, "a");
  PodmanClient podman(options);
  ExpectItsPodsLabelsInTime(&podman, "a");
}

// As after the clock has been set back by a minute.
TEST_F(PartialAnswers, NoDeadlineMakesARequestLastLongerThanTheTimeout) {
  const absl::Time deadline = absl::Now() + absl::Minutes(1);
  const absl::Time start = absl::Now();
  FakeContainerdEngine fake(socket_);
  fake.SetFaults({.each_call = absl::Minutes(1)});
  EXPECT_TRUE(absl::IsUnavailable(
      ContainerdClient(Options(absl::Milliseconds(100))).Get("run", deadline).status()));
  FakeHttpEngine* self = nullptr;
  FakeHttpEngine http(socket_ + "2", [&self](const std::string&) {
    self->HangThisOne();
    return std::string();
  });
  self = &http;
  DockerClient docker({.socket = http.socket(), .timeout = absl::Milliseconds(100)});
  EXPECT_TRUE(absl::IsUnavailable(docker.Get("a", deadline).status()));
  EXPECT_LT(absl::Now() - start, absl::Seconds(30));
}

TEST_F(PartialAnswers, AFailureAboutTheImageIsToldAndOnlyAboutTheImage) {
  FakeContainerdEngine fake(socket_);
  for (const FakeContainerdFaults& faults :
       {FakeContainerdFaults{.images = true}, FakeContainerdFaults{.content = true}}) {
    fake.SetFaults(faults);
    ContainerdClient containerd(Options());
    const auto container = containerd.Get("run");
    ASSERT_TRUE(container.ok()) << container.status();
    EXPECT_EQ(container->image_name, "image:1");
    EXPECT_TRUE(absl::IsUnavailable(container->image_status)) << container->image_status;
    EXPECT_EQ(container->image_digest, "");
  }
  FakeHttpEngine podman(socket_ + "2", [](const std::string& path) {
    return path.find("/images/") != std::string::npos
               ? FakeHttpEngine::Reply("{}", "500 Oh")
               : FakeHttpEngine::Reply(Recorded("podman_list.json"));
  });
  const auto container = PodmanClient({.socket = socket_ + "2"}).Get(kRecordedPodman);
  ASSERT_TRUE(container.ok()) << container.status();
  EXPECT_EQ(container->name, "web-podman");
  EXPECT_TRUE(absl::IsUnavailable(container->image_status)) << container->image_status;
}

}  // namespace
}  // namespace roster

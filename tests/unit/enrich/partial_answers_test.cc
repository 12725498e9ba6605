// Engines that answer a part of a question: within its time, and without losing the rest.
#include <string>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
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

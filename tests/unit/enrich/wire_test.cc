// The clients against servers that do not behave; clearly fakes, none is an engine.
#include <unistd.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "enrich/containerd_client.h"
#include "enrich/cri_client.h"
#include "enrich/docker_client.h"
#include "enrich/make_client.h"
#include "enrich/podman_client.h"
#include "fake_cri_engine.h"
#include "fake_http_engine.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "recorded.h"
#include "temporary_directory.h"

namespace roster {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class Wire : public ::testing::Test {
 protected:
  EngineClientOptions Options(absl::Duration timeout = absl::Seconds(20)) const {
    return {.socket = socket_, .timeout = timeout};
  }

  TemporaryDirectory directory_;
  const std::string socket_ = directory_.path() + "/engine.sock";
};

TEST_F(Wire, DockerIsReadFromItsRecordedReplies) {
  FakeHttpEngine fake(socket_, [](const std::string& path) {
    if (path.find("/images/") == 0) return FakeHttpEngine::Reply(Recorded("docker_image.json"));
    if (path.find("/containers/json") == 0) {
      return FakeHttpEngine::Reply(Recorded("docker_list.json"));
    }
    return FakeHttpEngine::Reply(Recorded("docker_inspect.json"));
  });
  DockerClient docker(Options());
  const auto list = docker.List();
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_EQ(list->size(), 4u);
  // Four containers of one image without a digest: one question about it.
  EXPECT_EQ(fake.requests().size(), 2u);
  const auto container = docker.Get(kRecordedDocker);
  ASSERT_TRUE(container.ok()) << container.status();
  EXPECT_EQ(container->name, "web-docker");
  EXPECT_THAT(fake.requests().back(), ::testing::HasSubstr(kRecordedDocker));
  EXPECT_EQ(fake.requests().size(), 3u);
  const auto details = docker.Details(kRecordedDocker);
  ASSERT_TRUE(details.ok()) << details.status();
  EXPECT_EQ(details->pid, 28564u);
}

TEST_F(Wire, DockersCgroupIsThatOfThePidInTheHostsProc) {
  FakeHttpEngine fake(socket_, [](const std::string&) {
    return FakeHttpEngine::Reply(Recorded("docker_inspect.json"));
  });
  directory_.Write("proc/28564/cgroup", "0::/docker/of-the-host\n");
  const auto client = MakeEngineClient({.name = "docker",
                                        .socket_path = "/engine.sock",
                                        .host_root = directory_.path(),
                                        .timeout = absl::Seconds(20)});
  ASSERT_TRUE(client.ok()) << client.status();
  const auto details = (*client)->Details(kRecordedDocker);
  ASSERT_TRUE(details.ok()) << details.status();
  EXPECT_EQ(details->cgroup_path, "/docker/of-the-host");
}

TEST_F(Wire, AnIdThatOnlyBeginsLikeAnotherIsNotFound) {
  FakeHttpEngine fake(socket_, [](const std::string& path) {
    return FakeHttpEngine::Reply(
        Recorded(path.find("/containers/json") == 0 ? "docker_list.json" : "docker_inspect.json"));
  });
  DockerClient docker(Options());
  const std::string prefix = std::string(kRecordedDocker).substr(0, 12);
  EXPECT_TRUE(absl::IsNotFound(docker.Get(prefix).status()));
  EXPECT_TRUE(absl::IsNotFound(docker.Details(prefix).status()));
}

TEST_F(Wire, PodmanIsReadFromItsRecordedReplies) {
  FakeHttpEngine fake(socket_, [](const std::string& path) {
    if (path.find("/images/") != std::string::npos) {
      return FakeHttpEngine::Reply(Recorded("podman_image.json"));
    }
    if (path.find("/containers/json") != std::string::npos) {
      return FakeHttpEngine::Reply(Recorded("podman_list.json"));
    }
    return FakeHttpEngine::Reply(Recorded("podman_inspect.json"));
  });
  PodmanClient podman(Options());
  const auto container = podman.Get(kRecordedPodman);
  ASSERT_TRUE(container.ok()) << container.status();
  EXPECT_EQ(container->image_digest, kRecordedDigest);
  EXPECT_EQ(container->name, "web-podman");
  EXPECT_EQ(podman.List()->size(), 2u);
  EXPECT_EQ(podman.Details(kRecordedPodman)->pid, 28605u);
}

struct BadReply {
  std::string name;
  std::string bytes;
  absl::StatusCode code;
};

TEST_F(Wire, BadRepliesAreTheErrorsThatTheInterfaceNames) {
  const std::string half = Recorded("docker_list.json").substr(0, 700);
  std::vector<BadReply> replies = {
      {"nothing at all", "", absl::StatusCode::kUnavailable},
      {"no HTTP", "garbage garbage\n", absl::StatusCode::kDataLoss},
      {"half a body", "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + half,
       absl::StatusCode::kDataLoss},
      {"half a document", FakeHttpEngine::Reply(half), absl::StatusCode::kDataLoss},
      {"ten megabytes", FakeHttpEngine::Reply(std::string(10 << 20, '[')),
       absl::StatusCode::kDataLoss},
      {"ten megabytes without a length", "HTTP/1.0 200 OK\r\n\r\n" + std::string(10 << 20, ' '),
       absl::StatusCode::kDataLoss},
      {"no such container", FakeHttpEngine::Reply(R"({"message":"No such"})", "404 Not Found"),
       absl::StatusCode::kNotFound},
      {"its own trouble", FakeHttpEngine::Reply(R"({"message":7})", "500 Oh"),
       absl::StatusCode::kUnavailable},
      {"a redirect", "HTTP/1.1 301 X\r\nLocation: http://localhost/\r\nContent-Length: 0\r\n\r\n",
       absl::StatusCode::kDataLoss},
  };
  for (const BadReply& reply : replies) {
    FakeHttpEngine fake(socket_, [&](const std::string&) { return reply.bytes; });
    DockerClient docker(Options());
    PodmanClient podman(Options());
    const absl::Status listed = docker.List().status();
    EXPECT_EQ(listed.code(), reply.code) << reply.name << ": " << listed;
    EXPECT_EQ(docker.Details("abc").status().code(), reply.code) << reply.name;
    EXPECT_EQ(podman.Get("abc").status().code(), reply.code) << reply.name;
    EXPECT_EQ(podman.PodLabels("abc").status().code(), reply.code) << reply.name;
  }
}

TEST_F(Wire, AnEngineThatIsNotThereIsUnavailableAtOnce) {
  const absl::Time start = absl::Now();
  std::vector<std::unique_ptr<EngineClient>> clients;
  clients.push_back(std::make_unique<DockerClient>(Options()));
  clients.push_back(std::make_unique<PodmanClient>(Options()));
  clients.push_back(std::make_unique<ContainerdClient>(Options(), "default"));
  clients.push_back(std::make_unique<CriClient>(Options(), "cri-o"));
  for (const auto& client : clients) {
    const absl::Status status = client->Get("abc").status();
    EXPECT_TRUE(absl::IsUnavailable(status)) << client->Name() << ": " << status;
    EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("engine.sock"));
  }
  EXPECT_LT(absl::Now() - start, absl::Seconds(15));
}

TEST_F(Wire, AnEngineThatHangsIsUnavailableAfterTheTimeout) {
  FakeHttpEngine* self = nullptr;
  absl::Notification ready;
  FakeHttpEngine fake(socket_, [&](const std::string&) {
    ready.WaitForNotification();
    self->Hang();
    return std::string();
  });
  self = &fake;
  ready.Notify();
  DockerClient docker(Options(absl::Milliseconds(300)));
  EXPECT_TRUE(absl::IsUnavailable(docker.Get("abc").status()));
  ContainerdClient containerd(Options(absl::Milliseconds(300)), "default");
  EXPECT_TRUE(absl::IsUnavailable(containerd.Get("abc").status()));
}

TEST_F(Wire, AServerThatSpeaksNoGrpcIsUnavailable) {
  for (const std::string& bytes :
       {std::string("garbage"), FakeHttpEngine::Reply("{}"), std::string(1 << 20, '\xff')}) {
    FakeHttpEngine fake(socket_, [&](const std::string&) { return bytes; });
    ContainerdClient containerd(Options(absl::Seconds(2)), "default");
    EXPECT_TRUE(absl::IsUnavailable(containerd.Get("abc").status()));
    CriClient cri(Options(absl::Seconds(2)), "cri-o");
    EXPECT_TRUE(absl::IsUnavailable(cri.List().status()));
  }
}

TEST_F(Wire, CriListsWhatItHasAndNamesContainersAsCrioDoes) {
  FakeCriEngine fake(socket_);
  CriClient crio(Options(), "cri-o");
  const auto list = crio.List();
  ASSERT_TRUE(list.ok()) << list.status();
  ASSERT_EQ(list->size(), 2u);
  EXPECT_EQ((*list)[0].name, "k8s_web_pod-a_ns-a_uid-a_3");
  EXPECT_EQ((*list)[0].image_digest, "sha256:d1");
  EXPECT_EQ((*list)[0].sandbox, "sandbox-a");
  EXPECT_EQ((*list)[1].name, "lone");  // its sandbox is missing, kubelet's labels too
  CriClient containerd(Options(), "containerd");
  EXPECT_EQ(containerd.Get("container-a")->name, "web");
  EXPECT_EQ(containerd.Get("container-a")->k8s_pod_name, "pod-a");
}

TEST_F(Wire, CriKnowsASandboxFromAContainerAndNeitherFromNothing) {
  FakeCriEngine fake(socket_);
  CriClient crio(Options(), "cri-o");
  const auto sandbox = crio.Get("sandbox-a");
  ASSERT_TRUE(sandbox.ok()) << sandbox.status();
  EXPECT_TRUE(sandbox->is_sandbox);
  EXPECT_EQ(sandbox->k8s_pod_uid, "uid-a");
  EXPECT_TRUE(absl::IsNotFound(crio.Get("container").status()));
  EXPECT_THAT(*crio.PodLabels("sandbox-a"), ElementsAre(Pair("app", "web")));
  EXPECT_TRUE(absl::IsNotFound(crio.PodLabels("sandbox").status()));
}

TEST_F(Wire, CriDetailsNeedAPidOnlyOfWhatRuns) {
  FakeCriEngine fake(socket_);
  CriClient crio(Options(), "cri-o");
  const auto details = crio.Details("container-a");
  ASSERT_TRUE(details.ok()) << details.status();
  EXPECT_EQ(details->pid, 1234u);
  EXPECT_EQ(details->started_at, 77);
  EXPECT_EQ(details->cgroup_path, "/kubepods/x");
  EXPECT_THAT(details->mounts, Contains(Pair("/src", "/dst")));
  EXPECT_EQ(details->sandbox, "sandbox-a");
  fake.SetInfo({});
  EXPECT_TRUE(absl::IsDataLoss(crio.Details("container-a").status()));
  fake.SetState(2);  // exited
  EXPECT_EQ(crio.Details("container-a")->state, EngineState::kExited);
}

TEST_F(Wire, GrpcRepliesOverTheLimitAreDataLoss) {
  FakeCriEngine fake(socket_);
  fake.SetInfo({{"info", std::string(10 << 20, 'x')}});
  CriClient crio(Options(), "cri-o");
  EXPECT_TRUE(absl::IsDataLoss(crio.Details("container-a").status()));
}

TEST_F(Wire, AGrpcEngineThatWasRestartedIsAskedAgainAtOnce) {
  CriClient crio(Options(absl::Seconds(5)), "cri-o");
  {
    FakeCriEngine fake(socket_);
    EXPECT_TRUE(crio.List().ok());
  }
  EXPECT_TRUE(absl::IsUnavailable(crio.List().status()));
  EXPECT_TRUE(absl::IsUnavailable(crio.List().status()));
  FakeCriEngine fake(socket_);
  const auto list = crio.List();
  EXPECT_TRUE(list.ok()) << list.status();
}

}  // namespace
}  // namespace roster

// Clients whose engine is restarted under them.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "engines/wait.h"
#include "enrich/containerd_client.h"
#include "enrich/docker_client.h"
#include "enrich/podman_client.h"
#include "gtest/gtest.h"
#include "own_process.h"
#include "roster/collection.h"
#include "unit/enrich/collection_events.h"
#include "unit/enrich/real_engines.h"

namespace roster::testing {
namespace {

TEST_F(RealDocker, RestartInTheMiddleLeavesNothingBehind) {
  const std::string id = Run("web");
  const std::vector<std::string> files = OpenFiles();
  const size_t threads = CountThreads();
  {
    DockerClient docker(Options());
    EXPECT_TRUE(docker.Get(id).ok());
    ASSERT_TRUE(engine_->Stop().ok());
    EXPECT_TRUE(absl::IsUnavailable(docker.Get(id).status()));
    ASSERT_TRUE(engine_->Start().ok());
    const std::string again = Run("again");
    EXPECT_EQ(docker.Get(again)->name, "again");
  }
  EXPECT_EQ(OpenFiles(), files);
  EXPECT_LE(CountThreads(), threads);
}

// gRPC keeps threads and descriptors of its own from the first call on, so the first one does not
// count; and with the last client it ends them, in its own time.
TEST_F(RealContainerd, RestartInTheMiddleLeavesNothingBehind) {
  Ticker ticker(absl::Milliseconds(20));
  Run("web");
  { EXPECT_TRUE(ContainerdClient(Options(), engine_->containerd_namespace()).Get("web").ok()); }
  const std::vector<std::string> files = OpenFiles();
  const size_t threads = CountThreads();
  {
    ContainerdClient client(Options(), engine_->containerd_namespace());
    EXPECT_TRUE(client.Get("web").ok());
    ASSERT_TRUE(engine_->Stop().ok());
    EXPECT_TRUE(absl::IsUnavailable(client.Get("web").status()));
    ASSERT_TRUE(engine_->Start().ok());
    Run("again");
    const auto again = client.Get("again");
    EXPECT_TRUE(again.ok()) << again.status();
  }
  const absl::Status ended =
      WaitUntil("gRPC to end what it began", {ticker.fd()}, In(absl::Seconds(20)), [&] {
        ticker.Take();
        const std::vector<std::string> now = OpenFiles();
        return std::includes(files.begin(), files.end(), now.begin(), now.end()) &&
               CountThreads() <= threads;
      });
  EXPECT_TRUE(ended.ok()) << ended << ::testing::PrintToString(files) << " and now "
                          << ::testing::PrintToString(OpenFiles()) << ", threads " << threads
                          << " and now " << CountThreads();
}

// The containers go on without the service.
TEST_F(RealPodman, RestartOfTheServiceLeavesNothingBehind) {
  const std::string id = Run("web");
  const std::vector<std::string> files = OpenFiles();
  const size_t threads = CountThreads();
  {
    PodmanClient podman(Options());
    const auto before = podman.Get(id);
    ASSERT_TRUE(before.ok()) << before.status();
    ASSERT_TRUE(service_.Signal(SIGKILL).ok());
    ASSERT_TRUE(service_.Wait(In(absl::Seconds(30))).ok());
    std::filesystem::remove(socket_);
    EXPECT_TRUE(absl::IsUnavailable(podman.Get(id).status()));
    StartService();
    const auto after = podman.Get(id);
    ASSERT_TRUE(after.ok()) << after.status();
    EXPECT_EQ(after->pid, before->pid);
    EXPECT_EQ(after->name, "web");
  }
  EXPECT_EQ(OpenFiles(), files);
  EXPECT_LE(CountThreads(), threads);
}

// A container that starts while the engine is away is named when the engine is back.
TEST_F(RealPodman, ACollectionSeesTheServiceRestart) {
  Run("web");
  const std::vector<std::string> files = OpenFiles();
  const size_t threads = CountThreads();
  {
    CollectionEvents events;
    ContainerCollection collection;
    const absl::Status status = collection.Initialize(
        events.Subscribe(),
        WithContainerRuntimeEnrichment(
            {.name = "podman", .socket_path = socket_, .timeout = absl::Seconds(20)}));
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_TRUE(events.Await("CREATED web"));
    ASSERT_TRUE(service_.Signal(SIGKILL).ok());
    ASSERT_TRUE(service_.Wait(In(absl::Seconds(30))).ok());
    std::filesystem::remove(socket_);
    Container again;
    again.runtime.container_id = Run("again");
    again.runtime.container_pid = static_cast<uint32_t>(Pid("again"));
    ASSERT_TRUE(collection.AddContainer(again).ok());
    EXPECT_EQ(collection.GetContainer(again.runtime.container_id)->runtime.container_name, "");
    StartService();
    EXPECT_TRUE(events.Await("UPDATED again"));
    EXPECT_NE(collection.GetContainer(again.runtime.container_id)->runtime.container_image_digest,
              "");
  }
  EXPECT_EQ(OpenFiles(), files);
  EXPECT_LE(CountThreads(), threads);
}

}  // namespace
}  // namespace roster::testing

// Clients whose engine is restarted under them.
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "enrich/containerd_client.h"
#include "enrich/docker_client.h"
#include "gtest/gtest.h"
#include "own_process.h"
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
  EXPECT_EQ(CountThreads(), threads);
}

TEST_F(RealContainerd, RestartInTheMiddle) {
  Run("web");
  ContainerdClient client(Options(), engine_->containerd_namespace());
  EXPECT_TRUE(client.Get("web").ok());
  ASSERT_TRUE(engine_->Stop().ok());
  EXPECT_TRUE(absl::IsUnavailable(client.Get("web").status()));
  ASSERT_TRUE(engine_->Start().ok());
  Run("again");
  const auto again = client.Get("again");
  EXPECT_TRUE(again.ok()) << again.status();
}

}  // namespace
}  // namespace roster::testing

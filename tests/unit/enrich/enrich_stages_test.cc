// A container's name by the two stages of enrichment: from files alone, and late, by asking the
// engine that its first process leads to.
#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "engines/command.h"
#include "engines/image.h"
#include "enrich/enricher.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/oci_spec.h"
#include "unit/enrich/late_result.h"
#include "unit/enrich/real_engines.h"

namespace roster::testing {
namespace {

using ::testing::HasSubstr;

TEST_F(RealDocker, BundleAndFileTogetherNameTheContainerInUnderAMillisecond) {
  const std::string id = Run("web");
  const auto spec_text =
      RunForOutput({"sh", "-c",
                    absl::StrCat("cat ", workspace_->Path("docker/exec"),
                                 "/containerd/daemon/*/moby/", id, "/config.json")});
  ASSERT_TRUE(spec_text.ok()) << spec_text.status();
  const auto spec = ParseOciSpec(*spec_text);
  ASSERT_TRUE(spec.ok()) << spec.status();
  Container container;
  absl::Duration best = absl::InfiniteDuration();
  for (int i = 0; i < 50; ++i) {
    container = Container();
    container.runtime.container_id = id;
    const absl::Time start = absl::Now();
    ASSERT_TRUE(FillFromEngineState(*spec, "", &container));
    best = std::min(best, absl::Now() - start);
  }
  EXPECT_EQ(container.runtime.runtime_name, "docker");
  EXPECT_EQ(container.runtime.container_name, "web");
  EXPECT_EQ(container.runtime.container_image_name, kImageName);
  EXPECT_EQ(container.runtime.container_image_id, Truth("web").image_id);
  EXPECT_LT(best, absl::Milliseconds(1));
  RecordProperty("stage1_ns", absl::ToInt64Nanoseconds(best));
  absl::FPrintF(stderr, "stage 1 with docker: %s\n", absl::FormatDuration(best));
}

TEST_F(RealDocker, LateStageFindsTheDaemonFromTheInitAlone) {
  const std::string id = Run("web");
  LateEnricher late({.timeout = absl::Seconds(20)});  // no socket is given
  Container container;
  container.runtime.container_id = id;
  container.runtime.container_pid = Pid("web");
  const LateResult result = Enriched(&late, container);
  ASSERT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.container.runtime.runtime_name, "docker");
  EXPECT_EQ(result.container.runtime.container_name, "web");
  EXPECT_EQ(result.container.runtime.container_image_name, kImageName);
}

TEST_F(RealContainerd, LateStageFindsTheSocketFromTheShim) {
  Run("web");
  LateEnricher late({.timeout = absl::Seconds(20)});  // no socket is given
  Container container;
  container.runtime.container_id = "web";
  container.runtime.container_pid = Pid("web");
  const LateResult result = Enriched(&late, container);
  ASSERT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.container.runtime.runtime_name, "containerd");
  EXPECT_EQ(result.container.runtime.container_image_name, kImageName);
  EXPECT_THAT(result.container.runtime.container_image_digest, HasSubstr("sha256:"));
}

}  // namespace
}  // namespace roster::testing

// Docker's own file about a container.
#include "enrich/docker_state.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "enrich/enricher.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "recorded.h"
#include "temporary_directory.h"

namespace roster {
namespace {

OciSpec SpecWithMount(const std::string& source, const std::string& destination) {
  OciSpec spec;
  spec.mounts = {{"proc", "/proc"}, {source, destination}};
  return spec;
}

TEST(DockerContainersDirectory, IsFoundFromEachOfTheThreeMounts) {
  for (const char* name : {"hostname", "hosts", "resolv.conf"}) {
    EXPECT_EQ(DockerContainersDirectory(
                  SpecWithMount(absl::StrCat("/d/containers/", kRecordedDocker, "/", name),
                                absl::StrCat("/etc/", name))),
              "/d/containers");
  }
}

TEST(DockerContainersDirectory, OtherMountsAreNone) {
  const std::string id = kRecordedDocker;
  const std::vector<std::pair<std::string, std::string>> others = {
      {"/d/containers/" + id + "/hosts", "/etc/hostname"},
      {"/d/containers/" + id + "/shadow", "/etc/shadow"},
      {"/d/containers/" + id.substr(1) + "/hosts", "/etc/hosts"},
      {"/d/containers/" + std::string(64, 'g') + "/hosts", "/etc/hosts"},
      {"/d/volumes/" + id + "/hosts", "/etc/hosts"},
      {"d/containers/" + id + "/hosts", "/etc/hosts"},
      {"hosts", "/etc/hosts"},
      {"", ""}};
  for (const auto& [source, destination] : others) {
    EXPECT_EQ(DockerContainersDirectory(SpecWithMount(source, destination)), "") << source;
  }
}

TEST(DockerState, RecordedFileGivesNameImageAndLabels) {
  const auto state = ParseDockerState(Recorded("docker_config.v2.json"));
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_EQ(state->id, kRecordedDocker);
  EXPECT_EQ(state->name, "web-docker");
  EXPECT_EQ(state->image_name, "localhost/roster-test:1");
  EXPECT_EQ(state->image_id, std::string("sha256:") + kRecordedImage);
  EXPECT_EQ(state->labels.at("made-by"), "roster-engines");
}

TEST(DockerState, GarbageIsDataLoss) {
  for (const std::string& garbage : GarbageReplies()) {
    EXPECT_EQ(ParseDockerState(garbage).status().code(), absl::StatusCode::kDataLoss);
  }
}

class DockerFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "the file must be root's";
    file_ = directory_.Write(absl::StrCat("containers/", kRecordedDocker, "/config.v2.json"),
                             Recorded("docker_config.v2.json"));
    container_.runtime.container_id = kRecordedDocker;
  }
  OciSpec SpecMounting(const std::string& id) {
    return SpecWithMount(absl::StrCat(directory_.path(), "/containers/", id, "/hosts"),
                         "/etc/hosts");
  }

  TemporaryDirectory directory_;
  std::string file_;
  Container container_;
};

TEST_F(DockerFiles, FillWhatIsEmptyAndLeaveWhatIsThere) {
  container_.runtime.container_image_name = "kept";
  EXPECT_TRUE(FillFromEngineState(SpecMounting(kRecordedDocker), "", &container_));
  EXPECT_EQ(container_.runtime.runtime_name, "docker");
  EXPECT_EQ(container_.runtime.container_name, "web-docker");
  EXPECT_EQ(container_.runtime.container_image_name, "kept");
  EXPECT_EQ(container_.runtime.container_image_id, std::string("sha256:") + kRecordedImage);
}

TEST_F(DockerFiles, AContainerInAnothersNetworkHasItsOwnName) {
  EXPECT_TRUE(FillFromEngineState(SpecMounting(std::string(64, 'a')), "", &container_));
  EXPECT_EQ(container_.runtime.container_name, "web-docker");
}

TEST_F(DockerFiles, AreReadBelowTheHostsRoot) {
  OciSpec spec =
      SpecWithMount(absl::StrCat("/containers/", kRecordedDocker, "/hosts"), "/etc/hosts");
  EXPECT_FALSE(FillFromEngineState(spec, "", &container_));
  EXPECT_TRUE(FillFromEngineState(spec, "", &container_, directory_.path()));
}

TEST_F(DockerFiles, OfAnotherContainerAreNotBelieved) {
  const std::string other(64, 'b');
  directory_.Write(absl::StrCat("containers/", other, "/config.v2.json"),
                   Recorded("docker_config.v2.json"));
  container_.runtime.container_id = other;
  EXPECT_FALSE(FillFromEngineState(SpecMounting(other), "", &container_));
  EXPECT_EQ(container_.runtime.runtime_name, "");
}

TEST_F(DockerFiles, ThatAreNotRootsOrNoFileOrTooLargeAreNotBelieved) {
  ASSERT_EQ(::chown(file_.c_str(), 1000, 1000), 0);
  EXPECT_FALSE(FillFromEngineState(SpecMounting(kRecordedDocker), "", &container_));
  ASSERT_EQ(::unlink(file_.c_str()), 0);
  ASSERT_EQ(::mkfifo(file_.c_str(), 0600), 0);
  EXPECT_FALSE(FillFromEngineState(SpecMounting(kRecordedDocker), "", &container_));
  ASSERT_EQ(::unlink(file_.c_str()), 0);
  directory_.Write(absl::StrCat("containers/", kRecordedDocker, "/config.v2.json"),
                   std::string(300 << 10, ' ') + Recorded("docker_config.v2.json"));
  EXPECT_FALSE(FillFromEngineState(SpecMounting(kRecordedDocker), "", &container_));
  EXPECT_EQ(container_, [] {
    Container untouched;
    untouched.runtime.container_id = kRecordedDocker;
    return untouched;
  }());
}

TEST_F(DockerFiles, OfAContainerThatIsAnotherEnginesAreNotRead) {
  container_.runtime.runtime_name = "podman";
  EXPECT_FALSE(FillFromEngineState(SpecMounting(kRecordedDocker), "", &container_));
}

}  // namespace
}  // namespace roster

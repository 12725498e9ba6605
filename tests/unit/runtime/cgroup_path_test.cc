#include "runtime/cgroup_path.h"

#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"

namespace roster {
namespace {

const std::string kA(64, 'a');
const std::string kB(64, 'b');

// A and B in `path` stand for two ids.
std::string Expand(const char* path) { return absl::StrReplaceAll(path, {{"A", kA}, {"B", kB}}); }

TEST(CgroupPath, EachEnginesPathIsRead) {
  const struct {
    const char* path;
    std::string id;
    const char* runtime_name;
  } cases[] = {
      {"/docker/A", kA, "docker"},
      {"/system.slice/docker-A.scope", kA, "docker"},
      {"/system.slice/docker-A.scope/init.scope", kA, "docker"},
      {"/machine.slice/libpod-A.scope", kA, "podman"},
      {"/machine.slice/libpod-A.scope/container", kA, "podman"},
      {"/libpod_parent/libpod-A", kA, "podman"},
      {"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podx.slice/"
       "cri-containerd-A.scope",
       kA, "containerd"},
      {"/system.slice/containerd.service/kubepods-besteffort-podx.slice:cri-containerd:A", kA,
       "containerd"},
      {"/kubepods.slice/kubepods-podx.slice/crio-A.scope", kA, "cri-o"},
      {"/kubepods/besteffort/podx/crio-A", kA, "cri-o"},
      {"/kubepods/burstable/podx/A", kA, ""},
      {"/default/A", kA, "containerd"},
      {"/docker/A/docker/B", kB, "docker"},
      {"/docker/A/kubepods/podx/B/sub", kB, ""},
  };
  for (const auto& test : cases) {
    const std::optional<CgroupClaim> claim = ParseCgroupPath(Expand(test.path));
    ASSERT_TRUE(claim.has_value()) << test.path;
    EXPECT_EQ(claim->id, test.id) << test.path;
    EXPECT_EQ(claim->runtime_name, test.runtime_name) << test.path;
  }
}

TEST(CgroupPath, OtherPathsClaimNothing) {
  for (const char* path :
       {"", "/", "/docker", "/docker/short", "/A", "/machine.slice/libpod-conmon-A.scope",
        "/kubepods/podx/crio-conmon-A", "/user.slice/user-1000.slice/session-1.scope",
        "/system.slice/docker.service", "/system.slice/docker-.scope", "/docker-xA.scope", "/a/b/A",
        "/system.slice/docker-AA.scope", "/x:y:z"}) {
    EXPECT_FALSE(ParseCgroupPath(Expand(path)).has_value()) << path;
  }
}

}  // namespace
}  // namespace roster

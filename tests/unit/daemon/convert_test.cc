#include "daemon/convert.h"

#include <gtest/gtest.h>

#include "daemon/watch_filter.h"
#include "roster_abi.h"
#include "text/utf8.h"

namespace roster {
namespace {

Container FullContainer() {
  Container c;
  c.runtime = {.runtime_name = "docker",
               .container_id = "4f3a",
               .container_name = "web",
               .container_pid = 4711,
               .container_image_name = "busybox",
               .container_image_id = "sha256:aa",
               .container_image_digest = "sha256:bb",
               .container_started_at = 1234567890123456789};
  c.k8s.namespace_name = "shop";
  c.k8s.pod_name = "web-1";
  c.k8s.pod_labels = {{"app", "web"}, {"tier", ""}};
  c.k8s.container_name = "nginx";
  c.k8s.pod_uid = "u-1";
  c.k8s.owner = std::make_shared<const OwnerReference>(OwnerReference{.api_version = "apps/v1",
                                                                      .kind = "Deployment",
                                                                      .name = "web",
                                                                      .uid = "o-1",
                                                                      .controller = true});
  c.oci_config = std::string("{\"a\":\"\xff\"}");
  c.bundle = "/run/b";
  c.sandbox_id = "sb";
  c.mntns = 4026532000;
  c.netns = 4026532001;
  c.host_network = true;
  c.cgroup_path = "/sys/fs/cgroup/x";
  c.cgroup_id = 99;
  c.cgroup_v1 = "/x";
  c.cgroup_v2 = "/x";
  c.handle = 0x500000003;
  c.oci_runtime = "runc";
  return c;
}

TEST(Convert, ContainerSurvivesTheWireWhole) {
  const Container container = FullContainer();
  v1::Container proto;
  ToProto(container,
          PinFacts{.state = ROSTER_EXITING, .flags = 3, .created_at_ns = 1, .started_at_ns = 2},
          true, &proto);
  v1::Container received;
  ASSERT_TRUE(received.ParseFromString(proto.SerializeAsString()));
  EXPECT_EQ(FromProto(received), container);
  EXPECT_EQ(received.pinned().state(), "exiting");
  EXPECT_EQ(received.pinned().flags(), 3u);
}

TEST(Convert, StatusKeepsCodeAndMessage) {
  for (const absl::Status& status :
       {absl::OkStatus(), absl::NotFoundError("a"), absl::InvalidArgumentError("b"),
        absl::UnavailableError("c"), absl::ResourceExhaustedError("d"),
        absl::FailedPreconditionError("e"), absl::AlreadyExistsError("f")}) {
    EXPECT_EQ(FromGrpc(ToGrpc(status)), status);
  }
}

TEST(Convert, BytesThatAreNoUtf8AreReplacedOneByOne) {
  EXPECT_EQ(ToValidUtf8("a\xff\xc3(é"), "a\xef\xbf\xbd\xef\xbf\xbd(é");
  EXPECT_EQ(ToValidUtf8(std::string("\0x", 2)), std::string("\0x", 2));
  EXPECT_EQ(ToValidUtf8("\xe2\x82"), "\xef\xbf\xbd\xef\xbf\xbd");
}

TEST(WatchFilter, GoesByTheNameInThePodAndOutsideKubernetesByTheEnginesName) {
  Container pod = FullContainer();
  EXPECT_TRUE(WatchFilter("nginx").Matches(pod));
  EXPECT_FALSE(WatchFilter("web").Matches(pod));
  EXPECT_FALSE(WatchFilter("!nginx").Matches(pod));
  pod.k8s.container_name.clear();
  EXPECT_TRUE(WatchFilter("web").Matches(pod));
  EXPECT_FALSE(WatchFilter("!web").Matches(pod));
  EXPECT_TRUE(WatchFilter("").Matches(pod));
}

}  // namespace
}  // namespace roster

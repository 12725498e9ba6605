#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "roster/collection.h"
#include "roster/json.h"

namespace roster {
namespace {

using ::testing::ElementsAre;

Container Make(std::string id, std::string ns, std::string pod, uint64_t mntns, uint64_t netns) {
  Container c;
  c.runtime = {"docker", std::move(id), "rname", 5, "image", "imageid", "digest", 6};
  c.k8s.namespace_name = std::move(ns);
  c.k8s.pod_name = std::move(pod);
  c.k8s.container_name = "kname";
  c.k8s.pod_labels = {{"app", "web"}};
  c.mntns = mntns;
  c.netns = netns;
  return c;
}

class ByMnt : public ContainerInfoFromMountNSID {
 public:
  ByMnt(uint64_t ns, std::vector<std::string>* calls) : ns_(ns), calls_(calls) {}
  void SetNode(std::string_view node) override { calls_->push_back("node " + std::string(node)); }
  void SetContainerMetadata(const ContainerPtr& c) override {
    calls_->push_back("container " + c->runtime.container_id);
  }
  void SetPodMetadata(const ContainerPtr& c) override {
    calls_->push_back("pod " + c->k8s.pod_name);
  }
  uint64_t GetMountNSID() const override { return ns_; }

 private:
  uint64_t ns_;
  std::vector<std::string>* calls_;
};

class ByNet : public ContainerInfoFromNetNSID {
 public:
  ByNet(uint64_t ns, std::vector<std::string>* calls) : ns_(ns), calls_(calls) {}
  void SetNode(std::string_view node) override { calls_->push_back("node " + std::string(node)); }
  void SetContainerMetadata(const ContainerPtr& c) override {
    calls_->push_back("container " + c->runtime.container_id);
  }
  void SetPodMetadata(const ContainerPtr& c) override {
    calls_->push_back("pod " + c->k8s.pod_name);
  }
  uint64_t GetNetNSID() const override { return ns_; }

 private:
  uint64_t ns_;
  std::vector<std::string>* calls_;
};

class EnrichTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(
        collection_
            .Initialize(WithNodeName("node1"), WithRemovedContainers(absl::Milliseconds(200)))
            .ok());
    ASSERT_TRUE(collection_.AddContainer(Make("single", "ns", "pod1", 1, 10)).ok());
    ASSERT_TRUE(collection_.AddContainer(Make("first", "ns", "pod2", 2, 20)).ok());
    ASSERT_TRUE(collection_.AddContainer(Make("second", "ns", "pod2", 3, 20)).ok());
    Container host = Make("host", "ns", "pod3", 4, 30);
    host.host_network = true;
    ASSERT_TRUE(collection_.AddContainer(host).ok());
    ASSERT_TRUE(collection_.AddContainer(Make("nopod1", "", "", 5, 40)).ok());
    ASSERT_TRUE(collection_.AddContainer(Make("nopod2", "", "", 6, 40)).ok());
  }
  ContainerCollection collection_;
};

constexpr char kNodeOnly[] = R"({"runtime":{},"k8s":{"node":"node1","owner":{}}})";
constexpr char kSingle[] =
    R"({"runtime":{"runtimeName":"docker","containerId":"single","containerName":"rname",)"
    R"("containerImageName":"image","containerImageDigest":"digest"},"k8s":{"node":"node1",)"
    R"("namespace":"ns","podName":"pod1","podLabels":{"app":"web"},"containerName":"kname","owner":{}}})";

TEST_F(EnrichTest, ByMountNamespaceCopiesWhatTheReferenceCopies) {
  CommonData event;
  collection_.EnrichByMntNs(&event, 1);
  EXPECT_EQ(ToJson(event), kSingle);
  CommonData unknown;
  collection_.EnrichByMntNs(&unknown, 99);
  EXPECT_EQ(ToJson(unknown), kNodeOnly);
  CommonData node;
  collection_.EnrichNode(&node);
  EXPECT_EQ(ToJson(node), kNodeOnly);
}

TEST_F(EnrichTest, ByNetworkNamespaceDependsOnWhoShareIt) {
  const std::vector<std::pair<uint64_t, std::string>> table = {
      {10, kSingle},
      {20, R"({"runtime":{"runtimeName":"docker"},"k8s":{"node":"node1","namespace":"ns",)"
           R"("podName":"pod2","podLabels":{"app":"web"},"owner":{}}})"},
      {30, R"({"runtime":{},"k8s":{"node":"node1","hostNetwork":true,"owner":{}}})"},
      {40, kNodeOnly},
      {99, kNodeOnly},
  };
  for (const auto& [netns, wanted] : table) {
    CommonData event;
    collection_.EnrichByNetNs(&event, netns);
    EXPECT_EQ(ToJson(event), wanted) << netns;
  }
}

TEST_F(EnrichTest, EventsAreToldThroughTheirInterface) {
  std::vector<std::string> calls;
  ByMnt mnt(1, &calls);
  EXPECT_TRUE(collection_.EnrichEventByMntNs(&mnt));
  EXPECT_THAT(calls, ElementsAre("node node1", "container single"));
  struct Row {
    uint64_t netns;
    bool set;
    std::string call;
  };
  for (const Row& row : std::vector<Row>{{10, true, "container single"},
                                         {20, true, "pod pod2"},
                                         {30, false, ""},
                                         {40, false, ""},
                                         {99, false, ""}}) {
    calls.clear();
    ByNet net(row.netns, &calls);
    EXPECT_EQ(collection_.EnrichEventByNetNs(&net), row.set) << row.netns;
    ASSERT_EQ(calls.size(), row.set ? 2u : 1u);
    if (row.set) {
      EXPECT_EQ(calls[1], row.call);
    }
  }
}

TEST_F(EnrichTest, ARemovedContainerIsResolvedForTheGracePeriodAndThenForgotten) {
  ASSERT_TRUE(collection_.RemoveContainer("single").ok());
  EXPECT_EQ(collection_.LookupContainerByMntns(1), nullptr);
  CommonData event;
  collection_.EnrichByMntNs(&event, 1);
  EXPECT_EQ(ToJson(event), kSingle);
  CommonData by_net;
  collection_.EnrichByNetNs(&by_net, 10);
  EXPECT_EQ(ToJson(by_net), kSingle);
  EXPECT_EQ(collection_.GetStats().remembered, 1u);
  // A living container of the same (reused) number comes first.
  ASSERT_TRUE(collection_.AddContainer(Make("heir", "ns", "pod9", 1, 10)).ok());
  CommonData heir;
  collection_.EnrichByMntNs(&heir, 1);
  EXPECT_EQ(heir.container_id(), "heir");
  ASSERT_TRUE(collection_.RemoveContainer("heir").ok());
  const absl::Time begin = absl::Now();
  while (collection_.GetStats().remembered > 0) {
    ASSERT_LT(absl::Now() - begin, absl::Seconds(20));
    std::this_thread::yield();
  }
  CommonData late;
  collection_.EnrichByMntNs(&late, 1);
  EXPECT_EQ(ToJson(late), kNodeOnly);
}

TEST(EnrichWhileRemoving, AContainerIsAlwaysAmongTheLivingOrTheRemembered) {
  ContainerCollection collection;
  ASSERT_TRUE(collection.Initialize(WithRemovedContainers(absl::Hours(1))).ok());
  ASSERT_TRUE(collection.AddContainer(Make("c1", "ns", "pod", 1, 1)).ok());
  // Numbers of its own for each: who is remembered must not stand in for who is being removed.
  std::atomic<uint64_t> current{1};
  std::atomic<bool> stop{false};
  std::atomic<int> missed{0};
  std::thread reader([&] {
    while (!stop) {
      const uint64_t n = current;
      CommonData by_mntns;
      collection.EnrichByMntNs(&by_mntns, n);
      CommonData by_netns;
      collection.EnrichByNetNs(&by_netns, n);
      if (by_mntns.source == nullptr || by_netns.source == nullptr) ++missed;
    }
  });
  for (uint64_t i = 1; i < 20000; ++i) {
    EXPECT_TRUE(
        collection.AddContainer(Make(absl::StrCat("c", i + 1), "ns", "pod", i + 1, i + 1)).ok());
    EXPECT_TRUE(collection.RemoveContainer(absl::StrCat("c", i)).ok());
    current = i + 1;
  }
  stop = true;
  reader.join();
  EXPECT_EQ(missed, 0);
}

TEST(EnrichWithoutMemory, ARemovedContainerIsGoneAtOnce) {
  ContainerCollection collection;
  ASSERT_TRUE(collection.Initialize(WithNodeName("node1")).ok());
  ASSERT_TRUE(collection.AddContainer(Make("single", "ns", "pod1", 1, 10)).ok());
  ASSERT_TRUE(collection.RemoveContainer("single").ok());
  CommonData event;
  collection.EnrichByMntNs(&event, 1);
  collection.EnrichByNetNs(&event, 10);
  EXPECT_EQ(ToJson(event), kNodeOnly);
}

}  // namespace
}  // namespace roster

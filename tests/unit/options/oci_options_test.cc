// What config.json's annotations tell, as a table.
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "roster/collection.h"

namespace roster {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Container Configured(const std::string& annotations) {
  Container container;
  container.runtime.container_id = "a";
  container.oci_config = R"({"ociVersion":"1.0.2","annotations":{)" + annotations + "}}";
  return container;
}

class OciOptions : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(collection_
                    .Initialize(WithWarningHandler([this](std::string_view text) {
                                  warnings_.emplace_back(text);
                                }),
                                WithOCIConfigEnrichment())
                    .ok());
  }
  Container Add(Container container) {
    const absl::Status status = collection_.AddContainer(std::move(container));
    EXPECT_TRUE(status.ok()) << status;
    const ContainerPtr added = collection_.GetContainer("a");
    return added == nullptr ? Container() : *added;
  }
  std::vector<std::string> warnings_;
  ContainerCollection collection_;
};

constexpr char kContainerd[] =
    R"("io.kubernetes.cri.container-type":"container","io.kubernetes.cri.sandbox-name":"pod",)"
    R"("io.kubernetes.cri.sandbox-namespace":"ns","io.kubernetes.cri.sandbox-uid":"uid",)"
    R"("io.kubernetes.cri.container-name":"web","io.kubernetes.cri.image-name":"image:1",)"
    R"("io.kubernetes.cri.sandbox-id":"s")";
constexpr char kCrio[] =
    R"("io.container.manager":"cri-o","io.kubernetes.pod.name":"pod","io.kubernetes.pod.uid":"uid",)"
    R"("io.kubernetes.pod.namespace":"ns","io.kubernetes.container.name":"web",)"
    R"("io.kubernetes.cri-o.ContainerType":"container","io.kubernetes.cri-o.ImageName":"image:1",)"
    R"("io.kubernetes.cri-o.SandboxID":"s")";

TEST_F(OciOptions, BothKubernetesEnginesTellTheSameThings) {
  for (const auto& [annotations, runtime] :
       {std::pair(kContainerd, "containerd"), std::pair(kCrio, "cri-o")}) {
    SCOPED_TRACE(runtime);
    const Container added = Add(Configured(annotations));
    EXPECT_EQ(added.runtime.runtime_name, runtime);
    EXPECT_EQ(added.runtime.container_image_name, "image:1");
    EXPECT_EQ(added.k8s.pod_name, "pod");
    EXPECT_EQ(added.k8s.namespace_name, "ns");
    EXPECT_EQ(added.k8s.pod_uid, "uid");
    EXPECT_EQ(added.k8s.container_name, "web");
    EXPECT_EQ(added.sandbox_id, "s");
    ASSERT_TRUE(collection_.RemoveContainer("a").ok());
  }
}

TEST_F(OciOptions, AnnotationsOverwriteButEmptyOnesDoNot) {
  Container container = Configured(
      R"("io.kubernetes.cri.container-type":"container","io.kubernetes.cri.sandbox-name":"pod",)"
      R"("io.kubernetes.cri.container-name":"")");
  container.runtime.runtime_name = "docker";
  container.k8s.pod_name = "other";
  container.k8s.container_name = "kept";
  const Container added = Add(container);
  EXPECT_EQ(added.runtime.runtime_name, "containerd");
  EXPECT_EQ(added.k8s.pod_name, "pod");
  EXPECT_EQ(added.k8s.container_name, "kept");
}

TEST_F(OciOptions, ASandboxIsDropped) {
  for (const char* annotations :
       {R"("io.kubernetes.cri.container-type":"sandbox")",
        R"("io.container.manager":"cri-o","io.kubernetes.cri-o.ContainerType":"sandbox")"}) {
    EXPECT_TRUE(absl::IsAborted(collection_.AddContainer(Configured(annotations)))) << annotations;
  }
  EXPECT_EQ(collection_.ContainerLen(), 0u);
}

TEST_F(OciOptions, PodmanIsNamedAndOthersStayAsTheyAre) {
  EXPECT_EQ(Add(Configured(R"("io.container.manager":"libpod")")).runtime.runtime_name, "podman");
  ASSERT_TRUE(collection_.RemoveContainer("a").ok());
  const Container other = Configured(R"("org.example":"x")");
  EXPECT_EQ(Add(other), other);
}

TEST_F(OciOptions, WhatIsNoConfigurationIsAWarningAndTheContainerIsKept) {
  Container container;
  container.runtime.container_id = "a";
  Add(container);
  EXPECT_THAT(warnings_, IsEmpty());
  ASSERT_TRUE(collection_.RemoveContainer("a").ok());
  container.oci_config = "{\"annotations\":7}";
  EXPECT_EQ(Add(container), container);
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("OCI configuration of container a")));
}

TEST_F(OciOptions, AConfigurationThatHasNothingToAddIsNotRead) {
  Container container = Configured(kCrio);
  container.runtime.runtime_name = "containerd";
  container.runtime.container_image_name = "i";
  container.sandbox_id = "s2";
  container.k8s = {.namespace_name = "n", .pod_name = "p", .container_name = "c", .pod_uid = "u"};
  EXPECT_EQ(Add(container), container);
}

TEST(OciOptionsOrder, InitialContainersConfigurationComesAfterWhatBringsThem) {
  ContainerCollection collection;
  const absl::Status status =
      collection.Initialize(WithOCIConfigForInitialContainer(), WithInitialContainers({}));
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("WithOCIConfigForInitialContainer: comes before"));
  EXPECT_TRUE(
      collection.Initialize(WithInitialContainers({}), WithOCIConfigForInitialContainer()).ok());
}

}  // namespace
}  // namespace roster

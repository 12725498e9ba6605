#include "roster/container.h"

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "roster/owner.h"

namespace roster {
namespace {

TEST(ContainerId, IsWhatCanBeAFileName) {
  for (const char* id : {"a", "A-Z_0.9+", "...", "-", "a..b", "4f3ad0c0ffee"}) {
    EXPECT_TRUE(ValidateContainerID(id).ok()) << id;
  }
  EXPECT_TRUE(ValidateContainerID(std::string(5000, 'a')).ok());
  for (const std::string id : {"", ".", "..", "a/b", "a b", "a\n", "\xC3\xA9", "a:b", "a$"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ValidateContainerID(id))) << id;
  }
  EXPECT_FALSE(ValidateContainerID(std::string_view("a\0b", 3)).ok());
}

TEST(ContainerId, AHostileIdIsNotRepeatedInTheError) {
  EXPECT_EQ(ValidateContainerID("ab\x1b[31m").message(),
            "container id: byte 27 at offset 2 is not one of [A-Za-z0-9_+.-]");
}

TEST(ContainerId, ParsesWithAndWithoutTheExpectedRuntime) {
  EXPECT_EQ(*ParseContainerID("docker", "docker://abc"), "abc");
  EXPECT_EQ(*ParseContainerID("docker", "abc"), "abc");
  EXPECT_FALSE(ParseContainerID("docker", "podman://abc").ok());
  EXPECT_FALSE(ParseContainerID("docker", "docker://").ok());
  EXPECT_FALSE(ParseContainerID("docker", "docker://a/b").ok());
  EXPECT_FALSE(ParseContainerID("docker", "").ok());
}

TEST(ContainerId, TrimRuntimePrefixSplitsOnce) {
  EXPECT_EQ(TrimRuntimePrefix("docker://abc"), "abc");
  EXPECT_EQ(TrimRuntimePrefix("docker://a//b"), "a//b");
  EXPECT_EQ(TrimRuntimePrefix("abc"), "");
}

TEST(Enriched, RuntimeNeedsNameIdAndImage) {
  RuntimeMetadata full;
  full.runtime_name = "docker";
  full.container_id = full.container_name = full.container_image_name = "x";
  full.container_image_digest = "y";
  EXPECT_TRUE(full.IsEnriched());
  const auto needs = [&full](auto field) {
    RuntimeMetadata part = full;
    (part.*field).clear();
    return !part.IsEnriched();
  };
  EXPECT_TRUE(needs(&RuntimeMetadata::runtime_name));
  EXPECT_TRUE(needs(&RuntimeMetadata::container_id));
  EXPECT_TRUE(needs(&RuntimeMetadata::container_name));
  EXPECT_TRUE(needs(&RuntimeMetadata::container_image_name));
  EXPECT_TRUE(needs(&RuntimeMetadata::container_image_digest));
  full.runtime_name = "unknown";
  EXPECT_FALSE(full.IsEnriched());
}

TEST(Enriched, KubernetesNeedsNamesAndALabel) {
  K8sMetadata full{"ns", "pod", {{"a", "b"}}, "c", "", nullptr};
  EXPECT_TRUE(full.IsEnriched());
  for (std::string K8sMetadata::*field :
       {&K8sMetadata::namespace_name, &K8sMetadata::pod_name, &K8sMetadata::container_name}) {
    K8sMetadata part = full;
    (part.*field).clear();
    EXPECT_FALSE(part.IsEnriched());
  }
  Container c;
  c.k8s = full;
  c.SetPodLabels({});
  EXPECT_FALSE(c.k8s.IsEnriched());
}

TEST(Container, LabelsAsStringAreSorted) {
  Container c;
  EXPECT_EQ(c.K8sPodLabelsAsString(), "");
  c.SetPodLabels({{"b", "2"}, {"a", "1"}, {"c", ""}});
  EXPECT_EQ(c.K8sPodLabelsAsString(), "a=1,b=2,c=");
}

TEST(Container, SamenessFollowsIdHandleAndMountNamespace) {
  const auto make = [](const char* id, uint64_t handle, uint64_t mntns) {
    Container c;
    c.runtime.container_id = id;
    c.handle = handle;
    c.mntns = mntns;
    return c;
  };
  EXPECT_TRUE(SameContainer(make("a", 0, 0), make("a", 0, 0)));
  EXPECT_FALSE(SameContainer(make("a", 0, 0), make("b", 0, 0)));
  EXPECT_TRUE(SameContainer(make("a", 1, 5), make("a", 1, 6)));
  EXPECT_FALSE(SameContainer(make("a", 1, 5), make("a", 2, 5)));
  EXPECT_FALSE(SameContainer(make("a", 0, 5), make("a", 1, 6)));
  EXPECT_TRUE(SameContainer(make("a", 0, 5), make("a", 1, 0)));
  Container first = make("a", 0, 0);
  Container second = make("a", 0, 5);
  first.runtime.container_pid = 7;
  EXPECT_TRUE(SameContainer(first, second));
  second.runtime.container_pid = 8;
  EXPECT_FALSE(SameContainer(first, second));
  // What the kernel has of both counts more than a pid, which may be another pid namespace's.
  first.mntns = 5;
  EXPECT_TRUE(SameContainer(first, second));
}

// Given objects: (api version, resource, name) to owners.
class Objects : public OwnerSource {
 public:
  absl::StatusOr<std::vector<OwnerReference>> OwnerReferences(std::string_view api_version,
                                                              std::string_view resource,
                                                              std::string_view namespace_name,
                                                              std::string_view name) override {
    EXPECT_EQ(namespace_name, "ns");
    const auto place = objects.find(std::string(api_version) + " " + std::string(resource) + "/" +
                                    std::string(name));
    if (place == objects.end()) return absl::NotFoundError("no " + std::string(name));
    return place->second;
  }
  std::map<std::string, std::vector<OwnerReference>> objects;
};

Container Pod() {
  Container c;
  c.k8s.namespace_name = "ns";
  c.k8s.pod_name = "pod";
  return c;
}

TEST(Owner, TheWalkEndsAtTheTop) {
  Objects objects;
  objects.objects = {
      {"v1 pods/pod", {{"apps/v1", "ReplicaSet", "rs", "1", true}}},
      {"apps/v1 replicasets/rs", {{"apps/v1", "Deployment", "web", "2", true}}},
      {"apps/v1 deployments/web", {}},
  };
  const auto owner = Pod().GetOwnerReference(objects);
  ASSERT_TRUE(owner.ok());
  EXPECT_EQ(**owner, (OwnerReference{"apps/v1", "Deployment", "web", "2", true}));
}

TEST(Owner, TheControllerIsPreferredElseTheFirstExpectedKind) {
  Objects objects;
  objects.objects = {
      {"v1 pods/pod",
       {{"x/v1", "Widget", "w", "0", true},
        {"batch/v1", "Job", "first", "1", false},
        {"batch/v1", "Job", "controller", "2", true}}},
      {"batch/v1 jobs/controller",
       {{"x/v1", "Widget", "w", "0", true},
        {"batch/v1", "CronJob", "a", "3", false},
        {"batch/v1", "CronJob", "b", "4", false}}},
      {"batch/v1 cronjobs/a", {{"x/v1", "Widget", "w", "0", true}}},
  };
  EXPECT_EQ((*Pod().GetOwnerReference(objects))->name, "a");
}

TEST(Owner, APodOfNobodyHasNone) {
  Objects objects;
  objects.objects = {{"v1 pods/pod", {{"v1", "Node", "n", "0", true}}}};
  ASSERT_TRUE(Pod().GetOwnerReference(objects).ok());
  EXPECT_EQ(*Pod().GetOwnerReference(objects), std::nullopt);
  EXPECT_EQ(*Container().GetOwnerReference(objects), std::nullopt);
}

// The reference loses the levels found before an error.
TEST(Owner, AnErrorHalfWayKeepsWhatWasFound) {
  Objects objects;
  objects.objects = {{"v1 pods/pod", {{"apps/v1", "ReplicaSet", "rs", "1", true}}}};
  const OwnerWalk walk = WalkOwners(objects, "ns", "pod");
  EXPECT_EQ(walk.owner->name, "rs");
  EXPECT_TRUE(absl::IsNotFound(walk.status));
  EXPECT_EQ((*Pod().GetOwnerReference(objects))->name, "rs");
  objects.objects.clear();
  EXPECT_TRUE(absl::IsNotFound(Pod().GetOwnerReference(objects).status()));
}

TEST(Owner, ACycleIsAnError) {
  Objects objects;
  objects.objects = {{"v1 pods/pod", {{"v1", "Job", "j", "1", true}}},
                     {"v1 jobs/j", {{"v1", "Job", "j", "1", true}}}};
  EXPECT_FALSE(WalkOwners(objects, "ns", "pod").status.ok());
}

TEST(Owner, AKnownOwnerIsNotAskedFor) {
  Objects objects;
  Container c = Pod();
  c.k8s.owner = std::make_shared<OwnerReference>(OwnerReference{"v1", "Job", "known", "", true});
  EXPECT_EQ((*c.GetOwnerReference(objects))->name, "known");
  EXPECT_EQ(c.K8sOwnerReference()->name, "known");
}

}  // namespace
}  // namespace roster

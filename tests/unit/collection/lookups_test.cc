// Look-ups by every key, ranges, and what a container in hand is worth.
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "collection_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "roster/collection.h"

namespace roster {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CollectionLookups : public CollectionTest {};

TEST_F(CollectionLookups, LooksUpByEveryKey) {
  ASSERT_TRUE(collection_.Initialize().ok());
  Container a = Make("abc1", "ns", "pod", "one", 11, 21, 31);
  a.cgroup_id = 41;
  a.handle = 51;
  a.k8s.pod_uid = "uid";
  a.runtime.runtime_name = "docker";
  Add(a);
  Container b = Make("abd2", "ns", "pod", "two", 12, 21, 32);
  b.k8s.pod_uid = "uid";
  b.cgroup_id = 42;
  Add(b);

  EXPECT_EQ(collection_.GetContainer("abc1")->mntns, 11u);
  EXPECT_EQ(collection_.GetContainer("abc"), nullptr);
  EXPECT_EQ(collection_.LookupContainerByMntns(12)->runtime.container_id, "abd2");
  EXPECT_EQ(collection_.LookupContainerByMntns(13), nullptr);
  EXPECT_THAT(Ids(collection_.LookupContainersByNetns(21)), ElementsAre("abc1", "abd2"));
  EXPECT_THAT(collection_.LookupContainersByNetns(22), IsEmpty());
  EXPECT_EQ(collection_.LookupContainerByCgroupId(42)->runtime.container_id, "abd2");
  EXPECT_EQ(collection_.LookupContainerByCgroupId(0), nullptr);
  EXPECT_EQ(collection_.LookupContainerByPid(31)->runtime.container_id, "abc1");
  EXPECT_EQ(collection_.LookupContainerByPid(0), nullptr);
  EXPECT_EQ(collection_.LookupContainerByHandle(51)->runtime.container_id, "abc1");
  EXPECT_EQ(collection_.LookupContainerByHandle(0), nullptr);
  EXPECT_THAT(Ids(collection_.LookupContainersByPodUid("uid")), ElementsAre("abc1", "abd2"));
  EXPECT_EQ(collection_.LookupMntnsByContainer("ns", "pod", "two"), 12u);
  EXPECT_EQ(collection_.LookupMntnsByContainer("other", "pod", "two"), 0u);
  EXPECT_EQ(collection_.LookupPIDByContainer("ns", "pod", "one"), 31u);
  EXPECT_EQ(collection_.LookupPIDByContainer("ns", "pod", "three"), 0u);
  EXPECT_EQ(collection_.LookupMntnsByPod("ns", "pod"),
            (PodMap<uint64_t>{{"one", 11}, {"two", 12}}));
  EXPECT_EQ(collection_.LookupPIDByPod("ns", "pod"), (PodMap<uint32_t>{{"one", 31}, {"two", 32}}));
  EXPECT_THAT(collection_.LookupMntnsByPod("ns", "other"), IsEmpty());
  EXPECT_EQ(collection_.ContainerLen(), 2u);

  const ContainerReader reader(collection_);
  EXPECT_EQ(reader.ById("abc1"), collection_.GetContainer("abc1").get());
  EXPECT_EQ(reader.ByMntns(11), collection_.GetContainer("abc1").get());
  EXPECT_EQ(reader.FirstByNetns(21), collection_.GetContainer("abc1").get());
  EXPECT_EQ(reader.ByPid(32), collection_.GetContainer("abd2").get());
  EXPECT_EQ(reader.ByHandle(51), collection_.GetContainer("abc1").get());
  EXPECT_EQ(reader.ByCgroupId(43), nullptr);
}

TEST_F(CollectionLookups, ContainersOutsideKubernetesAreFoundUnderTheEmptyPod) {
  ASSERT_TRUE(collection_.Initialize().ok());
  Add(Make("a", "", "", "plain", 7, 8, 9));
  Add(Make("b", "ns", "pod", "plain", 10, 8, 11));
  EXPECT_EQ(collection_.LookupMntnsByContainer("", "", "plain"), 7u);
  EXPECT_EQ(collection_.LookupPIDByPod("", ""), (PodMap<uint32_t>{{"plain", 9}}));
}

TEST_F(CollectionLookups, PodsOfOneNameAreToldApartByNamespaceAlsoWhenContainersMove) {
  ASSERT_TRUE(collection_.Initialize().ok());
  Add(Make("a", "n1", "pod", "one", 1, 0));
  Add(Make("b", "n2", "pod", "one", 2, 0));
  Add(Make("c", "n1", "pod", "two", 3, 0));
  Add(Make("d", "n2", "pod", "two", 4, 0));
  EXPECT_EQ(collection_.LookupMntnsByPod("n1", "pod"), (PodMap<uint64_t>{{"one", 1}, {"two", 3}}));
  EXPECT_EQ(collection_.LookupMntnsByPod("n2", "pod"), (PodMap<uint64_t>{{"one", 2}, {"two", 4}}));

  const auto move_to = [&](std::string_view id, std::string namespace_name, std::string name) {
    ASSERT_TRUE(collection_
                    .UpdateContainer(id,
                                     [&](Container* c) {
                                       c->k8s.namespace_name = namespace_name;
                                       c->k8s.container_name = name;
                                       return true;
                                     })
                    .ok());
  };
  move_to("c", "n2", "three");
  EXPECT_EQ(collection_.LookupMntnsByPod("n1", "pod"), (PodMap<uint64_t>{{"one", 1}}));
  EXPECT_EQ(collection_.LookupMntnsByPod("n2", "pod"),
            (PodMap<uint64_t>{{"one", 2}, {"two", 4}, {"three", 3}}));
  ASSERT_TRUE(collection_.RemoveContainer("a").ok());
  EXPECT_THAT(collection_.LookupMntnsByPod("n1", "pod"), IsEmpty());
  move_to("b", "n1", "one");
  Add(Make("e", "n1", "pod", "two", 5, 0));
  EXPECT_EQ(collection_.LookupMntnsByPod("n1", "pod"), (PodMap<uint64_t>{{"one", 2}, {"two", 5}}));
  EXPECT_EQ(collection_.LookupMntnsByPod("n2", "pod"),
            (PodMap<uint64_t>{{"two", 4}, {"three", 3}}));
}

TEST_F(CollectionLookups, OfAPodsContainersOfOneNameTheLastCountsUntilItIsRemoved) {
  ASSERT_TRUE(collection_.Initialize().ok());
  Add(Make("a", "ns", "pod", "app", 1, 0, 11));
  Add(Make("b", "ns", "pod", "sidecar", 2, 0, 12));
  Add(Make("c", "ns", "pod", "app", 3, 0, 13));
  EXPECT_EQ(collection_.LookupMntnsByPod("ns", "pod"),
            (PodMap<uint64_t>{{"app", 3}, {"sidecar", 2}}));
  ASSERT_TRUE(collection_.RemoveContainer("c").ok());
  EXPECT_EQ(collection_.LookupPIDByPod("ns", "pod"),
            (PodMap<uint32_t>{{"app", 11}, {"sidecar", 12}}));
}

TEST_F(CollectionLookups, WhatIsLearnedOfAContainerIsInItsPodsAnswers) {
  ASSERT_TRUE(collection_.Initialize().ok());
  Add(Make("a", "ns", "pod", "app", 1, 0, 11));
  Add(Make("b", "ns", "pod", "", 0, 0));
  ASSERT_TRUE(collection_
                  .UpdateContainer("b",
                                   [](Container* c) {
                                     c->k8s.container_name = "a-sidecar";
                                     c->mntns = 2;
                                     c->runtime.container_pid = 12;
                                     return true;
                                   })
                  .ok());
  EXPECT_EQ(collection_.LookupMntnsByPod("ns", "pod"),
            (PodMap<uint64_t>{{"a-sidecar", 2}, {"app", 1}}));
  EXPECT_EQ(collection_.LookupPIDByPod("ns", "pod"),
            (PodMap<uint32_t>{{"a-sidecar", 12}, {"app", 11}}));
}

TEST_F(CollectionLookups, ASelectorThatOneIndexAnswersIsStillHeldToItsExclusions) {
  ASSERT_TRUE(collection_.Initialize().ok());
  Container a = Make("a", "n1", "pod", "one", 1, 0);
  a.k8s.pod_labels = {{"app", "web"}};
  Add(a);
  Container b = Make("b", "n2", "pod", "one", 2, 0);
  b.k8s.pod_labels = {{"app", "db"}};
  Add(b);
  const auto ids = [&](const ContainerSelector& selector) {
    return Ids(*collection_.GetContainersBySelector(selector));
  };
  ContainerSelector label;
  label.k8s.pod_labels = {{"app", "web,db"}};
  EXPECT_THAT(ids(label), ElementsAre("a", "b"));
  label.k8s.pod_labels = {{"app", "web,db,!web"}};
  EXPECT_THAT(ids(label), ElementsAre("b"));
  label.k8s.pod_labels = {{"app", "web,db"}};
  label.k8s.namespace_name = "n1";
  EXPECT_THAT(ids(label), ElementsAre("a"));
  // Each of the two lists has a container, and it is another one.
  label.k8s.pod_labels = {{"app", "db"}};
  EXPECT_THAT(ids(label), IsEmpty());
  ContainerSelector namespaces;
  namespaces.k8s.namespace_name = "n1,n2,!n2";
  EXPECT_THAT(ids(namespaces), ElementsAre("a"));
  ContainerSelector where;
  where.where = "app in (web, db)";
  EXPECT_THAT(ids(where), ElementsAre("a", "b"));
  where.where = "app in (web, db), @id = b";
  EXPECT_THAT(ids(where), ElementsAre("b"));
}

TEST_F(CollectionLookups, AnIdPrefixMustNameExactlyOneContainer) {
  ASSERT_TRUE(collection_.Initialize().ok());
  Add(Make("abc1", "", "", "", 1, 1));
  Add(Make("abd2", "", "", "", 2, 2));
  Add(Make("ab", "", "", "", 3, 3));
  ASSERT_TRUE(collection_.GetContainerByIdPrefix("abc").ok());
  EXPECT_EQ((*collection_.GetContainerByIdPrefix("abc"))->mntns, 1u);
  // A whole id is never ambiguous.
  EXPECT_EQ((*collection_.GetContainerByIdPrefix("ab"))->mntns, 3u);
  EXPECT_TRUE(absl::IsFailedPrecondition(collection_.GetContainerByIdPrefix("a").status()));
  EXPECT_THAT(std::string(collection_.GetContainerByIdPrefix("a").status().message()),
              HasSubstr("ambiguous"));
  EXPECT_TRUE(absl::IsNotFound(collection_.GetContainerByIdPrefix("x").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(collection_.GetContainerByIdPrefix("").status()));
}

// Part 2: one container per mount namespace, and removing either removes both.
TEST_F(CollectionLookups, ContainersThatShareAMountNamespaceAreCounted) {
  ASSERT_TRUE(collection_.Initialize().ok());
  Add(Make("a", "", "", "", 7, 1));
  Add(Make("b", "", "", "", 7, 1));
  Add(Make("c", "", "", "", 7, 1));
  EXPECT_EQ(collection_.LookupContainerByMntns(7)->runtime.container_id, "c");
  EXPECT_THAT(Ids(collection_.LookupContainersByMntns(7)), ElementsAre("a", "b", "c"));
  ASSERT_TRUE(collection_.RemoveContainer("c").ok());
  EXPECT_EQ(collection_.LookupContainerByMntns(7)->runtime.container_id, "b");
  ASSERT_TRUE(collection_.RemoveContainer("a").ok());
  EXPECT_EQ(collection_.LookupContainerByMntns(7)->runtime.container_id, "b");
  ASSERT_TRUE(collection_.RemoveContainer("b").ok());
  EXPECT_EQ(collection_.LookupContainerByMntns(7), nullptr);
  EXPECT_THAT(collection_.LookupContainersByNetns(1), IsEmpty());
}

TEST_F(CollectionLookups, AContainerInHandNeverChanges) {
  ASSERT_TRUE(collection_.Initialize().ok());
  Add(Make("a", "", "", "", 1, 1));
  const ContainerPtr held = collection_.GetContainer("a");
  ASSERT_TRUE(collection_
                  .UpdateContainer("a",
                                   [](Container* c) {
                                     c->runtime.container_name = "later";
                                     return true;
                                   })
                  .ok());
  EXPECT_EQ(held->runtime.container_name, "");
  EXPECT_EQ(collection_.GetContainer("a")->runtime.container_name, "later");
  collection_.Close();
  EXPECT_EQ(held->mntns, 1u);
}

TEST_F(CollectionLookups, RangesSeeEachContainerOnce) {
  ASSERT_TRUE(collection_.Initialize().ok());
  for (int i = 0; i < 100; ++i) {
    Add(Make(absl::StrCat("c", i), i % 2 == 0 ? "even" : "odd", "p", "c", i + 1, 1));
  }
  std::set<std::string> seen;
  collection_.ContainerRange([&](const ContainerPtr& c) {
    EXPECT_TRUE(seen.insert(c->runtime.container_id).second);
    // Changing the collection from here is allowed.
    EXPECT_TRUE(collection_.RemoveContainer(c->runtime.container_id).ok());
  });
  EXPECT_EQ(seen.size(), 100u);
  EXPECT_EQ(collection_.ContainerLen(), 0u);
  int odd = 0;
  for (int i = 0; i < 10; ++i)
    Add(Make(absl::StrCat("d", i), i % 2 == 0 ? "even" : "odd", "", "", 1, 1));
  ContainerSelector selector;
  selector.k8s.namespace_name = "odd";
  EXPECT_TRUE(
      collection_.ContainerRangeWithSelector(selector, [&](const ContainerPtr&) { ++odd; }).ok());
  EXPECT_EQ(odd, 5);
}

class FakeOwners : public OwnerSource {
 public:
  absl::StatusOr<std::vector<OwnerReference>> OwnerReferences(std::string_view,
                                                              std::string_view resource,
                                                              std::string_view,
                                                              std::string_view) override {
    ++calls;
    if (fail) return absl::UnavailableError("API server away");
    if (resource != "pods") return std::vector<OwnerReference>{};
    return std::vector<OwnerReference>{{"apps/v1", "DaemonSet", "agent", "u", true}};
  }
  int calls = 0;
  bool fail = false;
};

TEST_F(CollectionLookups, AnOwnerIsAskedForOnceAndRemembered) {
  auto owners = std::make_shared<FakeOwners>();
  Recorder recorder;
  ASSERT_TRUE(
      collection_.Initialize(WithOwnerSource(owners), WithPubSub({recorder.Callback()})).ok());
  Add(Make("a", "ns", "pod", "c", 1, 1));
  Add(Make("b", "", "", "c", 2, 1));
  EXPECT_EQ(collection_.LookupOwnerReferenceByMntns(3), std::nullopt);
  EXPECT_EQ(collection_.LookupOwnerReferenceByMntns(2), std::nullopt);
  owners->fail = true;
  EXPECT_EQ(collection_.LookupOwnerReferenceByMntns(1), std::nullopt);
  owners->fail = false;
  ASSERT_TRUE(collection_.LookupOwnerReferenceByMntns(1).has_value());
  const int calls = owners->calls;
  EXPECT_EQ(collection_.LookupOwnerReferenceByMntns(1)->name, "agent");
  EXPECT_EQ(owners->calls, calls);
  EXPECT_EQ(collection_.GetContainer("a")->K8sOwnerReference()->kind, "DaemonSet");
  EXPECT_THAT(recorder.Events(), ElementsAre("CREATED a", "CREATED b", "UPDATED a"));
}

TEST_F(CollectionLookups, WhoSelectsByOwnerIsToldWhenTheOwnerIsKnown) {
  auto owners = std::make_shared<FakeOwners>();
  ASSERT_TRUE(collection_.Initialize(WithOwnerSource(owners), WithPubSub()).ok());
  Add(Make("a", "ns", "pod", "c", 1, 1));
  ContainerSelector selector;
  selector.where = "@owner=DaemonSet/agent";
  Recorder recorder;
  const auto there = collection_.Subscribe("mine", selector, recorder.Callback());
  ASSERT_TRUE(there.ok()) << there.status();
  EXPECT_TRUE(there->empty());
  ASSERT_TRUE(collection_.LookupOwnerReferenceByMntns(1).has_value());
  EXPECT_THAT(recorder.Events(), ElementsAre("CREATED a"));
}

}  // namespace
}  // namespace roster

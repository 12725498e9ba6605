#include "collection_bench_fixture.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace roster {
namespace {

constexpr int kPerPod = 10;

std::string IdOf(int i) {
  std::string id;
  std::minstd_rand random(i + 1);
  while (id.size() < 64) absl::StrAppend(&id, absl::StrFormat("%08x", random()));
  id.resize(64);
  return id;
}

}  // namespace

Container Make(int i, int containers) {
  const int pod = i / kPerPod;
  Container c;
  c.runtime.runtime_name = "containerd";
  c.runtime.container_id = IdOf(i);
  c.runtime.container_name = absl::StrCat("container-", i % kPerPod);
  c.runtime.container_pid = 1000 + i;
  c.runtime.container_image_name = "registry.example/app";
  c.k8s.namespace_name = absl::StrCat("ns", pod % 20);
  c.k8s.pod_name = absl::StrCat("pod-", pod);
  c.k8s.container_name = absl::StrCat("c", i % kPerPod);
  // Each value of "group" is that of 100 containers.
  c.k8s.pod_labels = {{"group", absl::StrCat(i % std::max(1, containers / 100))}};
  c.mntns = 4026531840ULL + 3 * i;
  c.netns = 4126531840ULL + 3 * pod;
  c.cgroup_id = 10000 + i;
  c.handle = 1 + i;
  return c;
}

Fixture::Fixture(int n) : containers(n) {
  if (!collection.Initialize(WithPubSub(), WithNodeName("node")).ok()) std::abort();
  const auto owner = std::make_shared<const OwnerReference>(
      OwnerReference{"apps/v1", "Deployment", "web", "", true});
  for (int i = 0; i < n; ++i) {
    Container made = Make(i, n);
    // Here, not in Make: the heap that a container takes is measured without them.
    made.k8s.pod_uid = absl::StrFormat("a7f1c0de-0000-4000-8000-%012d", i / kPerPod);
    made.k8s.owner = owner;
    if (!collection.AddContainer(std::move(made)).ok()) std::abort();
    const ContainerPtr c = collection.GetContainer(IdOf(i));
    bare_mntns[c->mntns] = c;
    bare_netns[c->netns] = c;
    bare_id[c->runtime.container_id] = c;
    ids.push_back(c->runtime.container_id);
    mntns.push_back(c->mntns);
    netns.push_back(c->netns);
    namespaces.push_back(c->k8s.namespace_name);
    pods.push_back(c->k8s.pod_name);
    pod_keys.emplace_back(c->k8s.namespace_name, c->k8s.pod_name);
    bare_pod[pod_keys.back()] = c;
    pod_uids.emplace_back(c->k8s.pod_uid);
  }
  std::minstd_rand random(7);
  for (int i = 0; i < kCalls; ++i) order.push_back(static_cast<int>(random() % n));
}

}  // namespace roster

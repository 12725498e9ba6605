// Look-ups by every key, each in turns with a bare find.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "collection_bench_fixture.h"
#include "collection_bench_measure.h"
#include "roster/collection.h"

namespace roster {
namespace {

// By what an event carries, against a find over the same keys.
void ByKeys(const Fixture& f) {
  const ContainerCollection& cc = f.collection;
  // "Bare" reads one field of what it found, as every user of a look-up does.
  const auto bare = [&](int i) { Use(f.bare_mntns.find(f.mntns[f.At(i)])->second->netns); };
  const auto bare_copied = [&](int i) {
    const ContainerPtr c = f.bare_mntns.find(f.mntns[f.At(i)])->second;
    Use(c->netns);
  };
  const auto bare_netns = [&](int i) { Use(f.bare_netns.find(f.netns[f.At(i)])->second->mntns); };
  const auto bare_id = [&](int i) { Use(f.bare_id.find(f.ids[f.At(i)])->second->netns); };
  const auto bare_id_copied = [&](int i) {
    const ContainerPtr c = f.bare_id.find(f.ids[f.At(i)])->second;
    Use(c->netns);
  };
  std::printf(
      "bare find: mntns %.1f ns (%.1f with the pointer copied), netns %.1f ns, id %.1f ns (%.1f)\n",
      Measure(kCalls, bare), Measure(kCalls, bare_copied), Measure(kCalls, bare_netns),
      Measure(kCalls, bare_id), Measure(kCalls, bare_id_copied));

  Compare({"ContainerReader::ByMntns", "1.5"}, bare, kCalls, [&](int i) {
    const ContainerReader reader(cc);
    Use(reader.ByMntns(f.mntns[f.At(i)])->netns);
  });
  Compare({"ContainerReader::FirstByNetns", "1.5"}, bare_netns, kCalls, [&](int i) {
    const ContainerReader reader(cc);
    Use(reader.FirstByNetns(f.netns[f.At(i)])->mntns);
  });
  Compare({"ContainerReader::ById", "1.5"}, bare_id, kCalls, [&](int i) {
    const ContainerReader reader(cc);
    Use(reader.ById(f.ids[f.At(i)])->netns);
  });
  const auto by_mntns = [&](int i) { Use(cc.LookupContainerByMntns(f.mntns[f.At(i)])->netns); };
  Compare({"LookupContainerByMntns", "1.5"}, bare, kCalls, by_mntns);
  Compare({"  against a find with the pointer copied", "1.5"}, bare_copied, kCalls, by_mntns);
  const auto by_id = [&](int i) { Use(cc.GetContainer(f.ids[f.At(i)])->netns); };
  Compare({"GetContainer", "1.5"}, bare_id, kCalls, by_id);
  Compare({"  against a find with the pointer copied", "1.5"}, bare_id_copied, kCalls, by_id);
  Compare({"LookupContainersByNetns, 10 containers", ""}, bare_netns, kCalls,
          [&](int i) { Use(cc.LookupContainersByNetns(f.netns[f.At(i)]).size()); });
  CommonData event;
  Compare({"EnrichByMntNs", "3"}, bare, kCalls, [&](int i) {
    cc.EnrichByMntNs(&event, f.mntns[f.At(i)]);
    Use(event.source->netns);
  });
}

// Each against the find by mount namespace, and against one over the keys of the pods.
void ByPod(const Fixture& f) {
  const ContainerCollection& cc = f.collection;
  const auto bare = [&](int i) { Use(f.bare_mntns.find(f.mntns[f.At(i)])->second->netns); };
  const auto bare_pod = [&](int i) { Use(f.bare_pod.find(f.pod_keys[f.At(i)])->second->netns); };
  std::printf("bare find: pod %.1f ns\n", Measure(kCalls, bare_pod));
  const auto compare = [&](const char* what, int calls, auto body) {
    Compare({what, "10"}, bare, calls, body);
    Compare({"  against a find by namespace and pod", "10"}, bare_pod, calls, body);
  };
  compare("LookupMntnsByContainer", kCalls, [&](int i) {
    const int n = f.At(i);
    Use(cc.LookupMntnsByContainer(f.namespaces[n], f.pods[n], "c5"));
  });
  compare("LookupPIDByContainer", kCalls, [&](int i) {
    const int n = f.At(i);
    Use(cc.LookupPIDByContainer(f.namespaces[n], f.pods[n], "c5"));
  });
  compare("LookupMntnsByPod, a map of 10", kCalls / 8,
          [&](int i) { Use(cc.LookupMntnsByPod(f.namespaces[f.At(i)], f.pods[f.At(i)]).size()); });
  compare("LookupPIDByPod, a map of 10", kCalls / 8,
          [&](int i) { Use(cc.LookupPIDByPod(f.namespaces[f.At(i)], f.pods[f.At(i)]).size()); });
}

void BySelector(const Fixture& f) {
  const ContainerCollection& cc = f.collection;
  const auto bare = [&](int i) { Use(f.bare_mntns.find(f.mntns[f.At(i)])->second->netns); };
  Compare({"selector by namespace and pod, 10 matches", "2,000 ns where bare is 20"}, bare,
          kCalls / 8, [&](int i) {
            ContainerSelector s;
            s.k8s.namespace_name = f.namespaces[f.At(i)];
            s.k8s.pod_name = f.pods[f.At(i)];
            Use(cc.GetContainersBySelector(s)->size());
          });
  Compare({"selector by one label, 100 matches", "15,000 ns where bare is 20"}, bare, kCalls / 32,
          [&](int i) {
            ContainerSelector s;
            s.k8s.pod_labels = {{"group", absl::StrCat(f.At(i) % (f.containers / 100))}};
            Use(cc.GetContainersBySelector(s)->size());
          });
  ContainerSelector pod;
  pod.k8s.namespace_name = f.namespaces[0];
  pod.k8s.pod_name = f.pods[0];
  const auto compiled = CompiledSelector::Compile(pod);
  if (!compiled.ok()) std::abort();
  Compare({"the first one compiled before, one pod", ""}, bare, kCalls / 8,
          [&](int) { Use(cc.GetContainersBySelector(*compiled).size()); });
}

// The other keys, in an own function: what is above runs as it did before there were these.
void ByOtherKeys(Fixture& f) {
  ContainerCollection& cc = f.collection;
  const auto bare = [&](int i) { Use(f.bare_mntns.find(f.mntns[f.At(i)])->second->netns); };
  const auto bare_netns = [&](int i) { Use(f.bare_netns.find(f.netns[f.At(i)])->second->mntns); };
  const auto bare_id = [&](int i) { Use(f.bare_id.find(f.ids[f.At(i)])->second->netns); };
  std::vector<uint64_t> cgroups;
  std::vector<uint32_t> pids;
  std::vector<uint64_t> handles;
  for (const std::string& id : f.ids) {
    const ContainerPtr c = cc.GetContainer(id);
    cgroups.push_back(c->cgroup_id);
    pids.push_back(c->runtime.container_pid);
    handles.push_back(c->handle);
  }
  Compare({"ContainerReader::ByCgroupId", ""}, bare, kCalls, [&](int i) {
    const ContainerReader reader(cc);
    Use(reader.ByCgroupId(cgroups[f.At(i)])->netns);
  });
  Compare({"ContainerReader::ByPid", ""}, bare, kCalls, [&](int i) {
    const ContainerReader reader(cc);
    Use(reader.ByPid(pids[f.At(i)])->netns);
  });
  Compare({"ContainerReader::ByHandle", ""}, bare, kCalls, [&](int i) {
    const ContainerReader reader(cc);
    Use(reader.ByHandle(handles[f.At(i)])->netns);
  });
  Compare({"ContainerReader::ForEachInNetns, 10 containers", ""}, bare_netns, kCalls, [&](int i) {
    const ContainerReader reader(cc);
    reader.ForEachInNetns(f.netns[f.At(i)], [](const Container& c) {
      Use(c.mntns);
      return true;
    });
  });
  Compare({"LookupContainerByCgroupId", ""}, bare, kCalls,
          [&](int i) { Use(cc.LookupContainerByCgroupId(cgroups[f.At(i)])->netns); });
  Compare({"LookupContainerByPid", ""}, bare, kCalls,
          [&](int i) { Use(cc.LookupContainerByPid(pids[f.At(i)])->netns); });
  Compare({"LookupContainerByHandle", ""}, bare, kCalls,
          [&](int i) { Use(cc.LookupContainerByHandle(handles[f.At(i)])->netns); });
  Compare({"LookupContainersByMntns, 1 container", ""}, bare, kCalls,
          [&](int i) { Use(cc.LookupContainersByMntns(f.mntns[f.At(i)]).size()); });
  Compare({"GetContainers, 1 container", ""}, bare_id, kCalls,
          [&](int i) { Use(cc.GetContainers(f.ids[f.At(i)]).size()); });
  Compare({"LookupContainersByPodUid, 10 containers", ""}, bare, kCalls / 8,
          [&](int i) { Use(cc.LookupContainersByPodUid(f.pod_uids[f.At(i)]).size()); });
  Compare({"LookupOwnerReferenceByMntns, known", ""}, bare, kCalls / 8,
          [&](int i) { Use(cc.LookupOwnerReferenceByMntns(f.mntns[f.At(i)])->name.size()); });
  Compare({"GetContainerByIdPrefix, a whole id", ""}, bare_id, kCalls,
          [&](int i) { Use((*cc.GetContainerByIdPrefix(f.ids[f.At(i)]))->netns); });
  Compare({"GetContainerByIdPrefix, 12 characters: looks at all", ""}, bare_id, kCalls / 1024,
          [&](int i) {
            const std::string_view id = f.ids[f.At(i)];
            Use((*cc.GetContainerByIdPrefix(id.substr(0, 12)))->netns);
          });
}

// An event that keeps what it is told of; Info says by which number.
template <typename Info>
class Event : public Info {
 public:
  void SetNode(std::string_view node) override { node_ = node; }
  void SetContainerMetadata(const ContainerPtr& container) override { container_ = container; }
  void SetPodMetadata(const ContainerPtr& container) override { container_ = container; }

  uint64_t number = 0;

 private:
  std::string_view node_;
  ContainerPtr container_;
};
class MntnsEvent : public Event<ContainerInfoFromMountNSID> {
 public:
  uint64_t GetMountNSID() const override { return number; }
};
class NetnsEvent : public Event<ContainerInfoFromNetNSID> {
 public:
  uint64_t GetNetNSID() const override { return number; }
};

void Enrichment(const Fixture& f) {
  const ContainerCollection& cc = f.collection;
  const auto bare = [&](int i) { Use(f.bare_mntns.find(f.mntns[f.At(i)])->second->netns); };
  const auto bare_netns = [&](int i) { Use(f.bare_netns.find(f.netns[f.At(i)])->second->mntns); };
  CommonData event;
  Compare({"EnrichByNetNs, 10 containers", ""}, bare_netns, kCalls, [&](int i) {
    cc.EnrichByNetNs(&event, f.netns[f.At(i)]);
    Use(event.source->mntns);
  });
  MntnsEvent by_mntns;
  Compare({"EnrichEventByMntNs", ""}, bare, kCalls, [&](int i) {
    by_mntns.number = f.mntns[f.At(i)];
    Use(static_cast<uint64_t>(cc.EnrichEventByMntNs(&by_mntns)));
  });
  NetnsEvent by_netns;
  Compare({"EnrichEventByNetNs, 10 containers", ""}, bare_netns, kCalls, [&](int i) {
    by_netns.number = f.netns[f.At(i)];
    Use(static_cast<uint64_t>(cc.EnrichEventByNetNs(&by_netns)));
  });
}

}  // namespace

void Lookups(Fixture& f) {
  ByKeys(f);
  ByPod(f);
  BySelector(f);
  ByOtherKeys(f);
  Enrichment(f);
}

}  // namespace roster

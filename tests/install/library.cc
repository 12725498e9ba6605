// Every line of code in docs/library.md, as a stranger's program has it; the
// build compares them. What needs no privilege is run too.
#include <roster/collection.h>
#include <roster/columns.h>
#include <roster/events.h>
#include <roster/json.h>
#include <roster/option.h>
#include <roster/owner.h>
#include <roster/pubsub.h>
#include <roster/reader.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

int used = 0;
void Use(const roster::Container&) { ++used; }

absl::Status LookUp() {
  absl::StatusOr<roster::Reader> reader = roster::Reader::Open();
  if (!reader.ok()) return reader.status();
  absl::StatusOr<std::optional<roster::Member>> member = reader->FindByPid(4711);
  if (member.ok() && *member) printf("%s\n", (*member)->record.name);
  return absl::OkStatus();
}

void Collect() {
  roster::ContainerCollection collection;
  absl::Status status = collection.Initialize(roster::WithPubSub(), roster::WithNodeName("n1"));

  roster::Container container;
  container.runtime.container_id = "4f3a";
  container.mntns = 4026532177;
  status = collection.AddContainer(std::move(container));

  if (roster::ContainerPtr c = collection.LookupContainerByMntns(4026532177)) Use(*c);
  status = collection.RemoveContainer("4f3a");
  collection.Close();
}

void Bring(roster::ContainerCollection& collection) {
  // clang-format off
  absl::Status status = collection.Initialize(
      roster::WithPubSub(),
      roster::WithContainerRuntimeEnrichment({.name = "docker"}),
      roster::WithOCIConfigForInitialContainer(),
      roster::WithOCIConfigEnrichment(), roster::WithCgroupEnrichment(),
      roster::WithLinuxNamespaceEnrichment(), roster::WithProcEnrichment(),
      roster::WithContainerFanotifyEbpf());
  // clang-format on
}

void Trace(roster::ContainerCollection& collection, const roster::ContainerSelector& web) {
  // clang-format off
  auto tracers = std::make_shared<roster::TracerCollection>(nullptr);
  absl::Status status = collection.Initialize(roster::WithTracerCollection(tracers), roster::WithContainerFanotifyEbpf());
  absl::StatusOr<int> bit = tracers->AddTracer("mytracer", web, {.mntns_set = true});
  // clang-format on
}

// clang-format off
class Owners : public roster::OwnerSource {
 public:
  absl::StatusOr<std::vector<roster::OwnerReference>> OwnerReferences(
      std::string_view api_version, std::string_view resource, std::string_view namespace_name,
      std::string_view name) override;
};
// clang-format on

absl::StatusOr<std::vector<roster::OwnerReference>> Owners::OwnerReferences(std::string_view,
                                                                            std::string_view,
                                                                            std::string_view,
                                                                            std::string_view) {
  return std::vector<roster::OwnerReference>{};
}

void Own(roster::ContainerCollection& collection, uint64_t mntns) {
  absl::Status status = collection.Initialize(roster::WithOwnerSource(std::make_shared<Owners>()));
  std::optional<roster::OwnerReference> owner = collection.LookupOwnerReferenceByMntns(mntns);
}

roster::Option WithTeam(std::string team) {
  return roster::Option("WithTeam", [team](roster::CollectionSetup& setup) -> absl::Status {
    if (team.empty()) return absl::InvalidArgumentError("team: is empty");
    setup.AddEnricher("team", [team](roster::Container* container) {
      container->k8s.pod_labels["team"] = team;
      return true;
    });
    return absl::OkStatus();
  });
}

void Ask(roster::ContainerCollection& collection, uint64_t mntns, const roster::ContainerPtr& c) {
  roster::ContainerSelector web;
  web.k8s.pod_labels["app"] = "web";
  auto there_now = collection.Subscribe("mine", web, [](const roster::PubSubEvent& event) {
    puts(std::string(roster::EventTypeName(event.type)).c_str());
  });
  collection.Unsubscribe("mine").IgnoreError();

  roster::ContainerSelector shop;
  shop.k8s.namespace_name = "shop,!test";
  shop.where = "@runtime in (docker, podman), !canary";
  auto found = collection.GetContainersBySelector(shop);

  absl::StatusOr<roster::CompiledSelector> compiled = roster::CompiledSelector::Compile(shop);
  if (compiled.ok() && compiled->Matches(*c)) Use(*c);

  // clang-format off
  roster::CommonData data;
  collection.EnrichByMntNs(&data, mntns);
  printf("%s/%s\n", std::string(data.pod_name()).c_str(), std::string(data.container_name()).c_str());
  // clang-format on
  {
    const roster::ContainerReader reader(collection);
    if (const roster::Container* borrowed = reader.ByMntns(mntns)) Use(*borrowed);
  }

  std::string text = roster::ToJson(*c);
  absl::StatusOr<roster::Container> back = roster::ContainerFromJson(text);
  absl::StatusOr<nlohmann::json> spec = roster::OciSpec(*c);

  roster::Columns columns = roster::GetColumns();
  auto rows = collection.GetContainersBySelector(roster::CompiledSelector());
  auto filter = roster::ParseColumnFilter(columns, "runtime.containerName:~^web");
  rows = roster::FilterRows(std::move(rows), {*filter});
  roster::SortRows(columns, {"runtime.runtimeName", "-runtime.containerPid"}, &rows);
  fputs(roster::FormatText(*columns.Choose("+mntns,-k8s.podName"), rows).c_str(), stdout);

  std::unique_ptr<roster::GadgetPubSub> pubsub = roster::NewGadgetPubSub();
  pubsub->Subscribe("mine", [](const roster::PubSubEvent& event) { Use(*event.container); });
  pubsub->Publish(roster::EventType::kCreated, c);
  pubsub->Unsubscribe("mine");
}

}  // namespace

int main(int argc, char**) {
  Collect();
  roster::ContainerCollection collection;
  roster::Container container;
  container.runtime.container_id = "c1";
  container.runtime.runtime_name = "docker";
  container.k8s.namespace_name = "shop";
  container.mntns = 4026532000;
  const absl::Status status =
      collection.Initialize(roster::WithPubSub(), WithTeam("blue"),
                            roster::WithInitialContainers({std::move(container)}));
  const roster::ContainerPtr c = collection.LookupContainerByMntns(4026532000);
  if (!status.ok() || c == nullptr || c->k8s.pod_labels.find("team")->second != "blue") return 1;
  Ask(collection, c->mntns, c);
  if (argc > 1) {  // as root, of a host's containers
    LookUp().IgnoreError();
    roster::ContainerCollection other;
    Bring(other);
    Trace(other, {});
    Own(other, 1);
  }
  return used == 4 ? 0 : 1;
}

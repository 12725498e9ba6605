#include "tracker/describe.h"

#include "absl/strings/str_cat.h"
#include "enrich/enricher.h"
#include "mirror/record.h"

namespace roster {
namespace {

template <typename Text>
void SetIfEmpty(std::string_view value, Text* field) {
  if (field->empty()) *field = value;
}

}  // namespace

void CompleteDescription(const OciSpec& spec, const ConmonIntent* conmon,
                         std::string_view host_root, Container* container) {
  RuntimeMetadata& runtime = container->runtime;
  if (conmon != nullptr) SetIfEmpty(conmon->name, &runtime.container_name);
  FillFromEngineState(spec, container->bundle, container, host_root);
  SetIfEmpty(container->oci_runtime, &runtime.runtime_name);
  // Docker's and podman's real name may still come from the engine, later.
  if (runtime.container_name.empty() && runtime.runtime_name != "docker" &&
      runtime.runtime_name != "podman") {
    runtime.container_name = container->k8s.container_name.empty() ? runtime.container_id
                                                                   : container->k8s.container_name;
  }
}

Container DescribeIdentity(const Identity& identity, std::string_view host_root, Container known,
                           ContainerKind* kind) {
  SetIfEmpty(identity.id, &known.runtime.container_id);
  SetIfEmpty(identity.name, &known.runtime.container_name);
  SetIfEmpty(identity.oci_runtime, &known.oci_runtime);
  SetIfEmpty(identity.bundle, &known.bundle);
  OciSpec spec;
  if (identity.bundle_contents) {
    SetIfEmpty(identity.bundle_contents->config_text, &known.oci_config);
    spec = identity.bundle_contents->spec;
    *kind = FillFromSpec(spec, &known);
  }
  SetIfEmpty(identity.runtime_name, &known.runtime.runtime_name);
  CompleteDescription(spec, nullptr, host_root, &known);
  return known;
}

Container DescribeUnknown(uint64_t handle) {
  Container container;
  container.runtime.container_id = absl::StrCat("unknown-", absl::Hex(handle));
  container.runtime.runtime_name = kUnknownRuntime;
  return container;
}

void TakeMembership(const roster_membership& slot, Container* container) {
  container->handle = slot.handle;
  container->mntns = slot.mntns;
  container->netns = slot.netns;
  container->cgroup_id = slot.cgroup_id;
  container->host_network = (slot.flags & ROSTER_F_HOST_NETWORK) != 0;
  container->runtime.container_pid = slot.init_pid;
}

}  // namespace roster

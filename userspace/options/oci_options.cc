// Options that read what a container's config.json says.
#include <utility>

#include "absl/strings/str_cat.h"
#include "options/once.h"
#include "roster/options.h"
#include "runtime/identify.h"
#include "runtime/metadata.h"
#include "runtime/oci_spec.h"

namespace roster {
namespace {

// Whether config.json could tell anything new.
bool IsComplete(const Container& container) {
  const RuntimeMetadata& runtime = container.runtime;
  const K8sMetadata& k8s = container.k8s;
  return !runtime.runtime_name.empty() && runtime.runtime_name != "unknown" &&
         !runtime.container_image_name.empty() && !container.sandbox_id.empty() &&
         !k8s.namespace_name.empty() && !k8s.pod_name.empty() && !k8s.pod_uid.empty() &&
         !k8s.container_name.empty();
}

}  // namespace

Option WithOCIConfigEnrichment() {
  return Once("WithOCIConfigEnrichment", [](CollectionSetup& setup) {
    setup.AddEnricher("OCI configuration", [warn = setup.Warner()](Container* container) {
      if (container->oci_config.empty() || IsComplete(*container)) return true;
      const absl::StatusOr<OciSpec> spec = ParseOciSpec(container->oci_config);
      if (!spec.ok()) {
        warn(absl::StrCat("OCI configuration of container ", container->runtime.container_id, ": ",
                          spec.status().message()));
        return true;
      }
      return FillFromSpec(*spec, container) != ContainerKind::kSandbox;
    });
    return absl::OkStatus();
  });
}

Option WithOCIConfigForInitialContainer() {
  return Once("WithOCIConfigForInitialContainer", [](CollectionSetup& setup) -> absl::Status {
    // The latter's list may be empty.
    if (setup.InitialSources() == 0 && !setup.Has("WithMultipleContainerRuntimesEnrichment")) {
      return absl::InvalidArgumentError(
          "comes before every option that brings initial containers, for which alone it is");
    }
    setup.AddInitialEnricher(
        "OCI configuration of initial containers", [warn = setup.Warner()](Container* container) {
          const auto pid = static_cast<pid_t>(container->runtime.container_pid);
          if (pid == 0 || !container->oci_config.empty()) return true;
          absl::StatusOr<Identity> identity = IdentifyRunning(pid);
          if (!identity.ok()) {
            warn(absl::StrCat("bundle of container ", container->runtime.container_id, ": ",
                              identity.status().message()));
            return true;
          }
          // A pid that the engine named and that is another container's by now.
          if (identity->id != container->runtime.container_id) return true;
          container->bundle = identity->bundle;
          if (identity->bundle_contents) {
            container->oci_config = identity->bundle_contents->config_text;
          }
          return true;
        });
    return absl::OkStatus();
  });
}

}  // namespace roster

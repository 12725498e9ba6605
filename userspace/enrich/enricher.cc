#include "enrich/enricher.h"

#include "absl/strings/str_cat.h"
#include "enrich/docker_state.h"
#include "enrich/late_worker.h"
#include "enrich/podman_state.h"
#include "runtime/metadata.h"
#include "text/string_view.h"

namespace roster {
namespace {

// Whether the runtime that is named so far, if any, may be `engine`'s.
bool MayBe(const Container& container, std::string_view engine) {
  const std::string& name = container.runtime.runtime_name;
  return name.empty() || name == "unknown" || name == engine;
}

bool FillFromDocker(const OciSpec& spec, std::string_view host_root, Container* container) {
  const std::string directory = DockerContainersDirectory(spec);
  if (directory.empty()) return false;
  const absl::StatusOr<EngineContainer> state =
      ReadDockerState(absl::StrCat(ToAbsl(host_root), directory), container->runtime.container_id);
  if (!state.ok()) return false;
  MergeEngineContainer("docker", *state, container);
  return true;
}

bool FillFromPodman(std::string_view bundle, std::string_view host_root, Container* container) {
  const PodmanStore store = ParsePodmanBundle(absl::StrCat(ToAbsl(host_root), ToAbsl(bundle)));
  if (store.empty()) return false;
  const std::string& id = container->runtime.container_id;
  if (!id.empty() && id != store.id) return false;
  const absl::StatusOr<EngineContainer> state = ReadPodmanState(store);
  if (!state.ok()) return false;
  // CRI-O keeps its containers in such a store too, and names itself in the annotations.
  MergeEngineContainer("podman", *state, container);
  return true;
}

}  // namespace

bool FillFromEngineState(const OciSpec& spec, std::string_view bundle, Container* container,
                         std::string_view host_root) {
  if (MayBe(*container, "docker") && FillFromDocker(spec, host_root, container)) return true;
  const std::string_view manager = spec.Annotation("io.container.manager");
  if (!manager.empty() && manager != "libpod") return false;
  return MayBe(*container, "podman") && FillFromPodman(bundle, host_root, container);
}

LateEnricher::LateEnricher(LateEnricherOptions options)
    : worker_(std::make_unique<Worker>(std::move(options))) {}

LateEnricher::~LateEnricher() = default;

absl::Status LateEnricher::Enqueue(Container container, Done done) {
  return worker_->Enqueue(std::move(container), std::move(done));
}

LateEnricherStats LateEnricher::Stats() const { return worker_->Stats(); }

}  // namespace roster

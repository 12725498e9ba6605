// Any bytes as what docker, podman, containerd or a CRI engine answered or wrote into its files.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "enrich/containerd_image.h"
#include "enrich/cri_info.h"
#include "enrich/docker_json.h"
#include "enrich/docker_state.h"
#include "enrich/podman_json.h"
#include "enrich/podman_state.h"
#include "enrich/sockets.h"

namespace {

// A container that was read can be merged, and has an id.
void Use(const absl::StatusOr<roster::EngineContainer>& container) {
  if (!container.ok()) return;
  if (container->id.empty() || container->pid > 4194304 || container->started_at < 0) abort();
  roster::Container merged;
  roster::MergeEngineContainer("docker", *container, &merged);
  const roster::Container before = merged;
  if (roster::MergeEngineContainer("podman", *container, &merged) || !(merged == before)) abort();
}

void Use(const absl::StatusOr<std::vector<roster::EngineContainer>>& containers) {
  if (!containers.ok()) return;
  for (const roster::EngineContainer& container : *containers) Use(container);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  Use(roster::ParseDockerList(text));
  Use(roster::ParseDockerInspect(text));
  Use(roster::ParseDockerState(text));
  Use(roster::ParsePodmanList(text));
  Use(roster::ParsePodmanInspect(text));
  Use(roster::ParsePodmanEntry(text));
  (void)roster::ParseDockerImageDigest(text, "localhost/roster-test:1");
  (void)roster::ParsePodmanImageDigest(text);
  (void)roster::ParsePodmanPodLabels(text);
  (void)roster::ParseManifest(text);
  (void)roster::DockerdSocketsFromConfig(text);
  (void)roster::ParsePodmanBundle(text);
  roster::EngineContainer container;
  (void)roster::FillFromCriInfo({{"info", text}}, &container);
  (void)roster::FillFromCriInfo({{"pid", text}, {"runtimeSpec", text}}, &container);
  const auto entry = roster::FindPodmanEntry(text, "a");
  if (entry.ok() && (!entry->starts_with("{\"id\":\"a\"") || !entry->ends_with("}"))) abort();
  return 0;
}

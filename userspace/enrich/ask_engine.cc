#include "enrich/ask_engine.h"

namespace roster {

bool IsEngineName(std::string_view runtime_name) {
  return runtime_name == "docker" || runtime_name == "containerd" || runtime_name == "podman" ||
         runtime_name == "cri-o";
}

bool NeedsEngine(const Container& container) {
  const bool in_pod = !container.k8s.pod_name.empty() || !container.sandbox_id.empty();
  if (!container.runtime.IsEnriched()) return true;
  if (in_pod) return !container.k8s.IsEnriched();
  // Its files have everything else.
  return container.runtime.runtime_name == "podman" && container.k8s.pod_labels.empty();
}

EngineAnswer AskEngine(EngineClient* client, Container* container) {
  EngineAnswer answer;
  const absl::Time deadline = client->Deadline();
  const auto known = client->Get(container->runtime.container_id, deadline);
  ++answer.requests;
  answer.status = known.status();
  if (!known.ok()) return answer;
  answer.known = true;
  answer.is_sandbox = known->is_sandbox;
  answer.image_status = known->image_status;
  answer.changed = MergeEngineContainer(client->Name(), *known, container);
  if (answer.is_sandbox || container->sandbox_id.empty() || !container->k8s.pod_labels.empty()) {
    return answer;
  }
  const auto labels = client->PodLabels(container->sandbox_id, deadline);
  ++answer.requests;
  // A pod may be gone before its last container.
  if (absl::IsNotFound(labels.status())) return answer;
  answer.status = labels.status();
  if (labels.ok()) answer.changed |= GiveLabels(*labels, &container->k8s);
  return answer;
}

}  // namespace roster

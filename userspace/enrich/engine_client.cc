#include "enrich/engine_client.h"

#include "runtime/text.h"

namespace roster {
namespace {

bool Give(std::string_view value, std::string* field) {
  if (value.empty() || !field->empty()) return false;
  *field = ToValidUtf8(value);
  return true;
}

std::string LabelOf(const EngineContainer& container, const char* label) {
  const auto found = container.labels.find(label);
  return found == container.labels.end() ? "" : found->second;
}

}  // namespace

std::string_view EngineStateName(EngineState state) {
  switch (state) {
    case EngineState::kCreated:
      return "created";
    case EngineState::kRunning:
      return "running";
    case EngineState::kPaused:
      return "paused";
    case EngineState::kExited:
      return "exited";
    case EngineState::kUnknown:
      break;
  }
  return "unknown";
}

void FillK8sFromLabels(EngineContainer* container) {
  container->k8s_container_name = LabelOf(*container, kK8sContainerNameLabel);
  container->k8s_pod_name = LabelOf(*container, kK8sPodNameLabel);
  container->k8s_namespace = LabelOf(*container, kK8sPodNamespaceLabel);
  container->k8s_pod_uid = LabelOf(*container, kK8sPodUidLabel);
}

std::map<std::string, std::string> WithoutK8sLabels(std::map<std::string, std::string> labels) {
  for (const char* label :
       {kK8sContainerNameLabel, kK8sPodNameLabel, kK8sPodNamespaceLabel, kK8sPodUidLabel}) {
    labels.erase(label);
  }
  return labels;
}

bool MergeEngineContainer(std::string_view runtime_name, const EngineContainer& from,
                          Container* container) {
  RuntimeMetadata& runtime = container->runtime;
  K8sMetadata& k8s = container->k8s;
  bool changed = false;
  if (runtime.runtime_name == "unknown" && !runtime_name.empty()) runtime.runtime_name.clear();
  // Not short-circuited: each field is given.
  changed |= Give(runtime_name, &runtime.runtime_name);
  changed |= Give(from.id, &runtime.container_id);
  changed |= Give(from.name, &runtime.container_name);
  changed |= Give(from.image_name, &runtime.container_image_name);
  changed |= Give(from.image_id, &runtime.container_image_id);
  changed |= Give(from.image_digest, &runtime.container_image_digest);
  changed |= Give(from.k8s_namespace, &k8s.namespace_name);
  changed |= Give(from.k8s_pod_name, &k8s.pod_name);
  changed |= Give(from.k8s_pod_uid, &k8s.pod_uid);
  changed |= Give(from.k8s_container_name, &k8s.container_name);
  changed |= Give(from.sandbox, &container->sandbox_id);
  if (runtime.container_pid == 0 && from.pid != 0) {
    runtime.container_pid = from.pid;
    changed = true;
  }
  if (runtime.container_started_at == 0 && from.started_at != 0) {
    runtime.container_started_at = from.started_at;
    changed = true;
  }
  return changed;
}

}  // namespace roster

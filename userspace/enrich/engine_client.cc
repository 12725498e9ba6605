#include "enrich/engine_client.h"

#include "text/utf8.h"

namespace roster {
namespace {

template <typename Text>
bool Give(std::string_view value, Text* field) {
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

std::map<std::string, std::string> WithoutImageLabels(std::map<std::string, std::string> labels) {
  std::erase_if(labels,
                [](const auto& label) { return label.first.starts_with("io.containerd.image."); });
  return labels;
}

bool GiveLabels(const Labels& labels, K8sMetadata* k8s) {
  if (labels.empty() || !k8s->pod_labels.empty()) return false;
  for (const auto& [key, value] : labels) k8s->pod_labels[ToValidUtf8(key)] = ToValidUtf8(value);
  return true;
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
  if (k8s.pod_name.empty() && container->sandbox_id.empty()) {
    changed |= GiveLabels(WithoutImageLabels(WithoutK8sLabels(from.labels)), &k8s);
  }
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

bool GiveMissing(const Container& from, Container* to) {
  EngineContainer engine;
  engine.id = from.runtime.container_id;
  engine.name = from.runtime.container_name;
  engine.image_name = from.runtime.container_image_name;
  engine.image_id = from.runtime.container_image_id;
  engine.image_digest = from.runtime.container_image_digest;
  engine.pid = from.runtime.container_pid;
  engine.started_at = from.runtime.container_started_at;
  engine.k8s_namespace = from.k8s.namespace_name;
  engine.k8s_pod_name = from.k8s.pod_name;
  engine.k8s_pod_uid = from.k8s.pod_uid;
  engine.k8s_container_name = from.k8s.container_name;
  engine.sandbox = from.sandbox_id;
  bool changed = MergeEngineContainer(from.runtime.runtime_name, engine, to);
  changed |= GiveLabels(from.k8s.pod_labels, &to->k8s);
  if (to->k8s.owner == nullptr && from.k8s.owner != nullptr) {
    to->k8s.owner = from.k8s.owner;
    changed = true;
  }
  return changed;
}

}  // namespace roster

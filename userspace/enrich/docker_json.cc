#include "enrich/docker_json.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "enrich/json_fields.h"
#include "text/string_view.h"

namespace roster {
namespace {

using nlohmann::json;

constexpr char kTypeLabel[] = "io.kubernetes.docker.type";  // "podsandbox" or "container"
constexpr char kSandboxLabel[] = "io.kubernetes.sandbox.id";

EngineState StateFromName(std::string_view name) {
  if (name == "created") return EngineState::kCreated;
  if (name == "running") return EngineState::kRunning;
  if (name == "paused") return EngineState::kPaused;
  if (name == "exited" || name == "dead") return EngineState::kExited;
  return EngineState::kUnknown;  // "restarting", whose pid is 0, and "removing"
}

std::vector<std::string> StringsOf(const json* array) {
  std::vector<std::string> strings;
  if (array == nullptr || !array->is_array()) return strings;
  for (const json& element : *array) {
    if (element.is_string()) strings.push_back(element.get<std::string>());
  }
  return strings;
}

std::vector<std::pair<std::string, std::string>> MountsOf(const json& container) {
  std::vector<std::pair<std::string, std::string>> mounts;
  const json* array = Member(container, "Mounts");
  if (array == nullptr || !array->is_array()) return mounts;
  for (const json& mount : *array) {
    std::string destination = StringMember(mount, "Destination");
    if (!destination.empty()) {
      mounts.emplace_back(StringMember(mount, "Source"), std::move(destination));
    }
  }
  return mounts;
}

EngineContainer FromListed(const json& listed) {
  EngineContainer container;
  container.id = StringMember(listed, "Id");
  container.name = DockerName(StringsOf(Member(listed, "Names")));
  container.state = StateFromName(StringMember(listed, "State"));
  SetDockerImage(StringMember(listed, "Image"), &container);
  container.image_id = StringMember(listed, "ImageID");
  container.mounts = MountsOf(listed);
  SetDockerLabels(StringMapMember(listed, "Labels"), &container);
  return container;
}

}  // namespace

std::string DockerName(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    absl::string_view own = name;
    absl::ConsumePrefix(&own, "/");
    if (!own.empty() && !absl::StrContains(own, "/")) return std::string(own);
  }
  return "";
}

void SetDockerImage(const std::string& image, EngineContainer* container) {
  const size_t at = image.find('@');
  container->image_name = image.substr(0, at);
  if (at != std::string::npos) container->image_digest = image.substr(at + 1);
}

void SetDockerLabels(std::map<std::string, std::string> labels, EngineContainer* container) {
  container->labels = std::move(labels);
  FillK8sFromLabels(container);
  const auto type = container->labels.find(kTypeLabel);
  container->is_sandbox = type != container->labels.end() && type->second == "podsandbox";
  const auto sandbox = container->labels.find(kSandboxLabel);
  if (sandbox != container->labels.end()) container->sandbox = sandbox->second;
}

absl::StatusOr<std::vector<EngineContainer>> ParseDockerList(std::string_view text) {
  const absl::StatusOr<json> list = ParseForeignJson(text, "docker's list of containers");
  if (!list.ok()) return list.status();
  if (!list->is_array()) return absl::DataLossError("docker's list of containers: no array");
  std::vector<EngineContainer> containers;
  containers.reserve(list->size());
  for (const json& listed : *list) {
    EngineContainer container = FromListed(listed);
    if (!container.id.empty()) containers.push_back(std::move(container));
  }
  return containers;
}

absl::StatusOr<EngineContainer> ParseDockerInspect(std::string_view text) {
  const absl::StatusOr<json> inspected = ParseForeignJson(text, "docker's inspected container");
  if (!inspected.ok()) return inspected.status();
  EngineContainer container;
  container.id = StringMember(*inspected, "Id");
  if (container.id.empty()) return absl::DataLossError("docker's inspected container: no Id");
  container.name = DockerName({StringMember(*inspected, "Name")});
  container.image_id = StringMember(*inspected, "Image");
  container.mounts = MountsOf(*inspected);
  if (const json* state = Member(*inspected, "State"); state != nullptr) {
    container.state = StateFromName(StringMember(*state, "Status"));
    container.pid = PidMember(*state, "Pid");
    container.started_at = ParseTimestamp(StringMember(*state, "StartedAt"));
  }
  if (const json* config = Member(*inspected, "Config"); config != nullptr) {
    SetDockerImage(StringMember(*config, "Image"), &container);
    SetDockerLabels(StringMapMember(*config, "Labels"), &container);
  }
  if (const json* host = Member(*inspected, "HostConfig"); host != nullptr) {
    container.cgroup_path = StringMember(*host, "Cgroup");
    container.oci_runtime = StringMember(*host, "Runtime");
  }
  return container;
}

absl::StatusOr<std::string> ParseDockerImageDigest(std::string_view text,
                                                   std::string_view image_name) {
  const absl::StatusOr<json> image = ParseForeignJson(text, "docker's inspected image");
  if (!image.ok()) return image.status();
  if (!image->is_object()) return absl::DataLossError("docker's inspected image: no object");
  std::string digest;
  for (const std::string& entry : StringsOf(Member(*image, "RepoDigests"))) {
    const size_t at = entry.find('@');
    if (at == std::string::npos) continue;
    const absl::string_view repository = absl::string_view(entry).substr(0, at);
    absl::string_view rest = ToAbsl(image_name);
    if (absl::ConsumePrefix(&rest, repository) && (rest.empty() || rest.front() == ':')) {
      return entry.substr(at + 1);
    }
    if (digest.empty()) digest = entry.substr(at + 1);
  }
  return digest;
}

}  // namespace roster

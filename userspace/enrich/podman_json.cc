#include "enrich/podman_json.h"

#include "enrich/json_fields.h"
#include "kernel/errors.h"

namespace roster {
namespace {

using nlohmann::json;

constexpr int64_t kNanosecondsInSecond = 1'000'000'000;

EngineState StateFromName(std::string_view name) {
  if (name == "configured" || name == "created" || name == "initialized") {
    return EngineState::kCreated;
  }
  if (name == "running" || name == "stopping") return EngineState::kRunning;
  if (name == "paused") return EngineState::kPaused;
  if (name == "exited" || name == "stopped") return EngineState::kExited;
  return EngineState::kUnknown;  // "removing", "unknown"
}

std::string FirstString(const json* array) {
  if (array == nullptr || !array->is_array() || array->empty()) return "";
  return array->front().is_string() ? array->front().get<std::string>() : "";
}

// Seconds since the epoch, Go's zero time (before it) for "never".
int64_t NanosecondsFrom(int64_t seconds) {
  return seconds > 0 && seconds <= INT64_MAX / kNanosecondsInSecond ? seconds * kNanosecondsInSecond
                                                                    : 0;
}

EngineContainer FromListed(const json& listed) {
  EngineContainer container;
  container.id = StringMember(listed, "Id");
  container.name = FirstString(Member(listed, "Names"));
  container.state = StateFromName(StringMember(listed, "State"));
  container.image_name = StringMember(listed, "Image");
  container.image_id = StringMember(listed, "ImageID");
  container.sandbox = StringMember(listed, "Pod");
  container.labels = StringMapMember(listed, "Labels");
  if (container.state == EngineState::kRunning || container.state == EngineState::kPaused) {
    container.pid = PidMember(listed, "Pid");
    container.started_at = NanosecondsFrom(IntegerMember(listed, "StartedAt"));
  }
  return container;
}

}  // namespace

absl::StatusOr<std::vector<EngineContainer>> ParsePodmanList(std::string_view text) {
  ROSTER_ASSIGN_OR_RETURN(const json list, ParseForeignJson(text, "podman's list of containers"));
  if (list.is_null()) return std::vector<EngineContainer>();
  if (!list.is_array()) return absl::DataLossError("podman's list of containers: no array");
  std::vector<EngineContainer> containers;
  containers.reserve(list.size());
  for (const json& listed : list) {
    EngineContainer container = FromListed(listed);
    if (!container.id.empty()) containers.push_back(std::move(container));
  }
  return containers;
}

absl::StatusOr<EngineContainer> ParsePodmanInspect(std::string_view text) {
  ROSTER_ASSIGN_OR_RETURN(const json inspected,
                          ParseForeignJson(text, "podman's inspected container"));
  EngineContainer container;
  container.id = StringMember(inspected, "Id");
  if (container.id.empty()) return absl::DataLossError("podman's inspected container: no Id");
  container.name = StringMember(inspected, "Name");
  container.image_name = StringMember(inspected, "ImageName");
  container.image_id = StringMember(inspected, "Image");
  container.image_digest = StringMember(inspected, "ImageDigest");
  container.sandbox = StringMember(inspected, "Pod");
  container.oci_runtime = StringMember(inspected, "OCIRuntime");
  if (const json* state = Member(inspected, "State"); state != nullptr) {
    container.state = StateFromName(StringMember(*state, "Status"));
    container.pid = PidMember(*state, "Pid");
    container.started_at = ParseTimestamp(StringMember(*state, "StartedAt"));
    container.cgroup_path = StringMember(*state, "CgroupPath");
  }
  if (const json* config = Member(inspected, "Config"); config != nullptr) {
    container.labels = StringMapMember(*config, "Labels");
  }
  const json* mounts = Member(inspected, "Mounts");
  if (mounts != nullptr && mounts->is_array()) {
    for (const json& mount : *mounts) {
      std::string destination = StringMember(mount, "Destination");
      if (destination.empty()) continue;
      container.mounts.emplace_back(StringMember(mount, "Source"), std::move(destination));
    }
  }
  return container;
}

absl::StatusOr<std::string> ParsePodmanImageDigest(std::string_view text) {
  ROSTER_ASSIGN_OR_RETURN(const json image, ParseForeignJson(text, "podman's inspected image"));
  if (!image.is_object()) return absl::DataLossError("podman's inspected image: no object");
  return StringMember(image, "Digest");
}

absl::StatusOr<std::map<std::string, std::string>> ParsePodmanPodLabels(std::string_view text) {
  ROSTER_ASSIGN_OR_RETURN(const json pod, ParseForeignJson(text, "podman's inspected pod"));
  if (!pod.is_object()) return absl::DataLossError("podman's inspected pod: no object");
  return StringMapMember(pod, "Labels");
}

}  // namespace roster

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "roster/json.h"

namespace roster {
namespace {

// The order of keys matters: of two spellings of one key, the later wins.
using Json = nlohmann::ordered_json;

absl::Status WrongType(std::string_view path, std::string_view wanted) {
  return absl::InvalidArgumentError(
      absl::StrCat("JSON of a container: ", std::string(path), ": is not ", std::string(wanted)));
}

absl::Status Read(const Json& json, std::string_view path, std::string* out) {
  if (!json.is_string()) return WrongType(path, "a string");
  *out = json.get_ref<const std::string&>();
  return absl::OkStatus();
}

absl::Status Read(const Json& json, std::string_view path, SharedText* out) {
  if (!json.is_string()) return WrongType(path, "a string");
  *out = json.get_ref<const std::string&>();
  return absl::OkStatus();
}

absl::Status Read(const Json& json, std::string_view path, bool* out) {
  if (!json.is_boolean()) return WrongType(path, "a boolean");
  *out = json.get<bool>();
  return absl::OkStatus();
}

template <typename Integer>
requires std::is_integral_v<Integer> absl::Status Read(const Json& json, std::string_view path,
                                                       Integer* out) {
  if (json.is_number_unsigned()) {
    const auto value = json.get<uint64_t>();
    if (value <= static_cast<uint64_t>(std::numeric_limits<Integer>::max())) {
      *out = static_cast<Integer>(value);
      return absl::OkStatus();
    }
  } else if (json.is_number_integer() && std::is_signed_v<Integer>) {
    // Negative, and no narrower signed type than int64 is read.
    static_assert(!std::is_signed_v<Integer> || sizeof(Integer) == 8);
    *out = static_cast<Integer>(json.get<int64_t>());
    return absl::OkStatus();
  }
  return WrongType(path,
                   absl::StrCat("a whole number that fits in ", sizeof(Integer) * 8, " bits"));
}

absl::Status ReadLabelText(const std::string& text, std::string_view path, Labels* labels) {
  if (text.empty()) return absl::OkStatus();
  for (absl::string_view part : absl::StrSplit(text, ',')) {
    const size_t equals = part.find('=');
    if (equals == absl::string_view::npos) {
      return WrongType(path, "\"key=value,key=value\"");
    }
    (*labels)[std::string(part.substr(0, equals))] = std::string(part.substr(equals + 1));
  }
  return absl::OkStatus();
}

absl::Status Read(const Json& json, std::string_view path, Labels* labels) {
  labels->clear();
  if (json.is_string()) return ReadLabelText(json.get_ref<const std::string&>(), path, labels);
  if (!json.is_object()) return WrongType(path, "an object of strings or a string");
  for (const auto& [key, value] : json.items()) {
    if (!value.is_string()) return WrongType(path, "an object of strings");
    (*labels)[key] = value.get_ref<const std::string&>();
  }
  return absl::OkStatus();
}

// Reads the members of one object: each key is offered to the fields in turn.
class ObjectReader {
 public:
  ObjectReader(const Json& json, std::string_view path) : json_(json), path_(path) {}

  // fields(key, member) says what to do with one member.
  template <typename Fields>
  absl::Status ForEach(Fields fields) {
    if (!json_.is_object()) return WrongType(path_, "an object");
    for (const auto& [key, value] : json_.items()) {
      if (value.is_null()) continue;
      Member member{value, key, absl::StrCat(std::string(path_), path_.empty() ? "" : ".", key)};
      fields(member);
      if (!member.status.ok()) return member.status;
    }
    return absl::OkStatus();
  }

  struct Member {
    const Json& json;
    absl::string_view key;
    std::string path;
    absl::Status status;

    template <typename Value>
    void Field(absl::string_view name, Value* out) {
      if (absl::EqualsIgnoreCase(key, name)) status = Read(json, path, out);
    }
    template <typename Value>
    void Object(absl::string_view name, Value* out) {
      if (absl::EqualsIgnoreCase(key, name)) status = ReadObject(json, path, out);
    }
  };

 private:
  static absl::Status ReadObject(const Json& json, std::string_view path, RuntimeMetadata* out);
  static absl::Status ReadObject(const Json& json, std::string_view path, K8sMetadata* out);
  friend absl::StatusOr<K8sMetadata> roster::K8sMetadataFromJson(std::string_view text);

  const Json& json_;
  std::string_view path_;
};

absl::Status ObjectReader::ReadObject(const Json& json, std::string_view path,
                                      RuntimeMetadata* out) {
  return ObjectReader(json, path).ForEach([out](Member& member) {
    member.Field("runtimeName", &out->runtime_name);
    member.Field("containerId", &out->container_id);
    member.Field("containerName", &out->container_name);
    member.Field("containerPid", &out->container_pid);
    member.Field("containerImageName", &out->container_image_name);
    member.Field("containerImageId", &out->container_image_id);
    member.Field("containerImageDigest", &out->container_image_digest);
    member.Field("containerStartedAt", &out->container_started_at);
  });
}

absl::Status ObjectReader::ReadObject(const Json& json, std::string_view path, K8sMetadata* out) {
  return ObjectReader(json, path).ForEach([out](Member& member) {
    member.Field("namespace", &out->namespace_name);
    member.Field("podName", &out->pod_name);
    member.Field("podLabels", &out->pod_labels);
    member.Field("containerName", &out->container_name);
    member.Field("podUID", &out->pod_uid);
  });
}

absl::Status ReadContainer(const Json& json, std::string_view path, Container* out) {
  uint32_t pid = 0;
  absl::Status status = ObjectReader(json, path).ForEach([&](ObjectReader::Member& member) {
    member.Object("runtime", &out->runtime);
    member.Object("k8s", &out->k8s);
    member.Field("pid", &pid);
    member.Field("ociConfig", &out->oci_config);
    member.Field("bundle", &out->bundle);
    member.Field("sandboxId", &out->sandbox_id);
    member.Field("mntns", &out->mntns);
    member.Field("netns", &out->netns);
    member.Field("hostNetwork", &out->host_network);
    member.Field("cgroupPath", &out->cgroup_path);
    member.Field("cgroupID", &out->cgroup_id);
    member.Field("cgroupV1", &out->cgroup_v1);
    member.Field("cgroupV2", &out->cgroup_v2);
  });
  // The older form has the pid beside the runtime.
  if (out->runtime.container_pid == 0) out->runtime.container_pid = pid;
  return status;
}

absl::StatusOr<Json> Parse(std::string_view text) {
  Json json = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return absl::InvalidArgumentError("JSON of a container: is not JSON");
  return json;
}

absl::Status ReadEventType(const Json& json, EventType* type) {
  if (json.is_string()) {
    *type = EventTypeFromString(json.get_ref<const std::string&>());
    return absl::OkStatus();
  }
  if (json.is_number_unsigned() && json.get<uint64_t>() <= 3) {
    *type = static_cast<EventType>(json.get<uint64_t>());
    return absl::OkStatus();
  }
  return WrongType("event", "an event's name or number");
}

}  // namespace

absl::StatusOr<Container> ContainerFromJson(std::string_view text) {
  absl::StatusOr<Json> json = Parse(text);
  if (!json.ok()) return json.status();
  Container container;
  absl::Status status = ReadContainer(*json, "", &container);
  if (!status.ok()) return status;
  return container;
}

absl::StatusOr<K8sMetadata> K8sMetadataFromJson(std::string_view text) {
  absl::StatusOr<Json> json = Parse(text);
  if (!json.ok()) return json.status();
  K8sMetadata k8s;
  absl::Status status = ObjectReader::ReadObject(*json, "", &k8s);
  if (!status.ok()) return status;
  return k8s;
}

absl::StatusOr<PubSubEvent> PubSubEventFromJson(std::string_view text) {
  absl::StatusOr<Json> json = Parse(text);
  if (!json.ok()) return json.status();
  PubSubEvent event;
  std::string timestamp;
  auto container = std::make_shared<Container>();
  absl::Status status = ObjectReader(*json, "").ForEach([&](ObjectReader::Member& member) {
    member.Field("timestamp", &timestamp);
    if (absl::EqualsIgnoreCase(member.key, "event")) {
      member.status = ReadEventType(member.json, &event.type);
    }
    if (absl::EqualsIgnoreCase(member.key, "container")) {
      member.status = ReadContainer(member.json, member.path, container.get());
    }
  });
  if (!status.ok()) return status;
  std::string error;
  if (!timestamp.empty() &&
      !absl::ParseTime(absl::RFC3339_full, timestamp, &event.timestamp, &error)) {
    return WrongType("timestamp", "an RFC 3339 time");
  }
  event.container = std::move(container);
  return event;
}

absl::StatusOr<nlohmann::json> OciSpec(const Container& container) {
  if (container.oci_config.empty()) {
    return absl::NotFoundError(
        absl::StrCat("OCI config of container ", container.runtime.container_id, ": is not known"));
  }
  nlohmann::json json =
      nlohmann::json::parse(container.oci_config.view(), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "OCI config of container ", container.runtime.container_id, ": is not a JSON object"));
  }
  return json;
}

}  // namespace roster

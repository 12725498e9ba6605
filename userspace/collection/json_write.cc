#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "roster/json.h"
#include "text/utf8.h"

namespace roster {
namespace {

void AppendUnicodeEscape(unsigned value, std::string* out) {
  constexpr char kHex[] = "0123456789abcdef";
  absl::StrAppend(out, "\\u");
  for (int shift = 12; shift >= 0; shift -= 4) out->push_back(kHex[(value >> shift) & 0xF]);
}

void AppendAscii(char c, std::string* out) {
  switch (c) {
    case '"':
    case '\\':
      out->push_back('\\');
      out->push_back(c);
      return;
    case '\b':
      out->append("\\b");
      return;
    case '\f':
      out->append("\\f");
      return;
    case '\n':
      out->append("\\n");
      return;
    case '\r':
      out->append("\\r");
      return;
    case '\t':
      out->append("\\t");
      return;
    default:
      if (static_cast<unsigned char>(c) < 0x20 || c == '<' || c == '>' || c == '&') {
        AppendUnicodeEscape(static_cast<unsigned char>(c), out);
      } else {
        out->push_back(c);
      }
  }
}

// Writes one object, leaving out empty values as Go's omitempty does.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string* out) : out_(out) { out_->push_back('{'); }
  void End() { out_->push_back('}'); }

  std::string* Key(std::string_view key) {
    if (!first_) out_->push_back(',');
    first_ = false;
    AppendJsonString(key, out_);
    out_->push_back(':');
    return out_;
  }
  void Text(std::string_view key, std::string_view value) {
    if (!value.empty()) AppendJsonString(value, Key(key));
  }
  template <typename Integer>
  void Number(std::string_view key, Integer value) {
    if (value != 0) absl::StrAppend(Key(key), value);
  }
  void True(std::string_view key, bool value) {
    if (value) Key(key)->append("true");
  }
  void Labels(std::string_view key, const roster::Labels& labels) {
    if (labels.empty()) return;
    ObjectWriter object(Key(key));
    for (const auto& [name, value] : labels) AppendJsonString(value, object.Key(name));
    object.End();
  }

 private:
  std::string* out_;
  bool first_ = true;
};

void Append(const RuntimeMetadata& runtime, std::string* out) {
  ObjectWriter object(out);
  object.Text("runtimeName", runtime.runtime_name);
  object.Text("containerId", runtime.container_id);
  object.Text("containerName", runtime.container_name);
  object.Number("containerPid", runtime.container_pid);
  object.Text("containerImageName", runtime.container_image_name);
  object.Text("containerImageId", runtime.container_image_id);
  object.Text("containerImageDigest", runtime.container_image_digest);
  object.Number("containerStartedAt", runtime.container_started_at);
  object.End();
}

void Append(const K8sMetadata& k8s, std::string* out) {
  ObjectWriter object(out);
  object.Text("namespace", k8s.namespace_name);
  object.Text("podName", k8s.pod_name);
  object.Labels("podLabels", k8s.pod_labels);
  object.Text("containerName", k8s.container_name);
  object.Text("podUID", k8s.pod_uid);
  object.End();
}

void Append(const Container& container, std::string* out) {
  ObjectWriter object(out);
  Append(container.runtime, object.Key("runtime"));
  Append(container.k8s, object.Key("k8s"));
  object.Text("ociConfig", container.oci_config);
  object.Text("bundle", container.bundle);
  object.Text("sandboxId", container.sandbox_id);
  object.Number("mntns", container.mntns);
  object.Number("netns", container.netns);
  object.True("hostNetwork", container.host_network);
  object.Text("cgroupPath", container.cgroup_path);
  object.Number("cgroupID", container.cgroup_id);
  object.Text("cgroupV1", container.cgroup_v1);
  object.Text("cgroupV2", container.cgroup_v2);
  object.End();
}

}  // namespace

void AppendJsonString(std::string_view text, std::string* out) {
  out->reserve(out->size() + text.size() + 2);
  out->push_back('"');
  while (!text.empty()) {
    uint32_t code = 0;
    const size_t length = DecodeUtf8(text, &code);
    if (length == 1) {
      AppendAscii(text[0], out);
    } else if (length == 0) {
      out->append("\\ufffd");
    } else if (code == 0x2028 || code == 0x2029) {
      // Line and paragraph separator end a line in JavaScript.
      out->append(code == 0x2028 ? "\\u2028" : "\\u2029");
    } else {
      out->append(text.substr(0, length));
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out->push_back('"');
}

std::string ToJson(const RuntimeMetadata& runtime) {
  std::string out;
  Append(runtime, &out);
  return out;
}

std::string ToJson(const K8sMetadata& k8s) {
  std::string out;
  Append(k8s, &out);
  return out;
}

std::string ToJson(const Container& container) {
  std::string out;
  Append(container, &out);
  return out;
}

std::string ToJson(const PubSubEvent& event) {
  std::string out;
  ObjectWriter object(&out);
  // Go's RFC 3339 has "Z" for UTC where absl writes "+00:00".
  std::string time =
      absl::FormatTime("%Y-%m-%d%ET%H:%M:%S%Ez", event.timestamp, absl::LocalTimeZone());
  if (time.ends_with("+00:00")) time.replace(time.size() - 6, 6, "Z");
  AppendJsonString(time, object.Key("timestamp"));
  AppendJsonString(EventTypeName(event.type), object.Key("event"));
  if (event.container == nullptr) {
    object.Key("container")->append("null");
  } else {
    Append(*event.container, object.Key("container"));
  }
  object.End();
  return out;
}

std::string ToJson(const CommonData& data) {
  std::string out;
  ObjectWriter object(&out);
  {
    ObjectWriter runtime(object.Key("runtime"));
    runtime.Text("runtimeName", data.runtime_name());
    runtime.Text("containerId", data.container_id());
    runtime.Text("containerName", data.container_name());
    runtime.Text("containerImageName", data.container_image_name());
    runtime.Text("containerImageDigest", data.container_image_digest());
    runtime.End();
  }
  {
    ObjectWriter k8s(object.Key("k8s"));
    k8s.Text("node", data.node);
    k8s.Text("namespace", data.namespace_name());
    k8s.Text("podName", data.pod_name());
    if (data.pod_labels() != nullptr) k8s.Labels("podLabels", *data.pod_labels());
    k8s.Text("containerName", data.k8s_container_name());
    k8s.True("hostNetwork", data.host_network);
    ObjectWriter owner(k8s.Key("owner"));
    if (const OwnerReference* reference = data.owner()) {
      owner.Text("kind", reference->kind);
      owner.Text("name", reference->name);
    }
    owner.End();
    k8s.End();
  }
  object.End();
  return out;
}

}  // namespace roster

#include "mirror/record.h"

#include <cstring>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace roster {
namespace {

// The longest prefix of `text` of at most `limit` bytes that does not end inside a UTF-8 sequence.
size_t CutLength(std::string_view text, size_t limit) {
  if (text.size() <= limit) return text.size();
  size_t length = limit;
  while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80) --length;
  return length;
}

template <size_t N>
void Put(std::string_view text, char (&field)[N], uint32_t* flags) {
  // A NUL inside would end the field early for every reader.
  text = text.substr(0, text.find('\0'));
  const size_t length = CutLength(text, N - 1);
  if (length < text.size()) *flags |= ROSTER_R_TRUNCATED;
  std::memcpy(field, text.data(), length);
}

template <size_t N>
std::string Take(const char (&field)[N]) {
  return std::string(field, strnlen(field, N));
}

void PutLabels(const Container& container, roster_record* record) {
  size_t used = 0;
  for (const auto& [key, value] : container.k8s.pod_labels) {
    const std::string entry = absl::StrCat(key, "=", value);
    // One byte for its NUL and one for the list's.
    if (entry.find('\0') != std::string::npos || used + entry.size() + 2 > sizeof(record->labels)) {
      record->flags |= ROSTER_R_LABELS_TRUNCATED;
      return;
    }
    std::memcpy(record->labels + used, entry.data(), entry.size());
    used += entry.size() + 1;
  }
}

void TakeLabels(const roster_record& record, Container* container) {
  const std::string_view all(record.labels, sizeof(record.labels));
  for (size_t begin = 0; begin < all.size() && all[begin] != '\0';) {
    const size_t end = all.find('\0', begin);
    if (end == std::string_view::npos) return;
    const std::string_view entry = all.substr(begin, end - begin);
    if (const size_t equals = entry.find('='); equals != std::string_view::npos) {
      container->k8s.pod_labels.emplace(entry.substr(0, equals), entry.substr(equals + 1));
    }
    begin = end + 1;
  }
}

}  // namespace

roster_record MakeRecord(const Container& container) {
  roster_record record = {};
  record.handle = container.handle;
  record.pid = container.runtime.container_pid;
  record.mntns = container.mntns;
  record.netns = container.netns;
  record.cgroup_id = container.cgroup_id;
  const std::string_view runtime = container.runtime.runtime_name;
  Put(runtime.empty() ? container.oci_runtime.view() : runtime, record.runtime, &record.flags);
  Put(container.runtime.container_id, record.id, &record.flags);
  Put(container.runtime.container_name, record.name, &record.flags);
  Put(container.k8s.namespace_name, record.pod_namespace, &record.flags);
  Put(container.k8s.pod_name, record.pod_name, &record.flags);
  Put(container.k8s.pod_uid, record.pod_uid, &record.flags);
  Put(container.k8s.container_name, record.k8s_container, &record.flags);
  Put(container.runtime.container_image_name, record.image, &record.flags);
  PutLabels(container, &record);
  return record;
}

Container ContainerFromRecord(const roster_record& record, const roster_membership& membership) {
  Container container;
  container.handle = membership.handle;
  container.runtime.runtime_name = Take(record.runtime);
  container.runtime.container_id = Take(record.id);
  container.runtime.container_name = Take(record.name);
  container.runtime.container_image_name = Take(record.image);
  container.runtime.container_pid = membership.init_pid;
  container.runtime.container_started_at = static_cast<int64_t>(record.started_at_ns);
  container.k8s.namespace_name = Take(record.pod_namespace);
  container.k8s.pod_name = Take(record.pod_name);
  container.k8s.pod_uid = Take(record.pod_uid);
  container.k8s.container_name = Take(record.k8s_container);
  TakeLabels(record, &container);
  container.mntns = membership.mntns;
  container.netns = membership.netns;
  container.cgroup_id = membership.cgroup_id;
  container.host_network = (membership.flags & ROSTER_F_HOST_NETWORK) != 0;
  return container;
}

bool IsUnknown(const Container& container) {
  return container.runtime.runtime_name == kUnknownRuntime &&
         container.runtime.container_id.starts_with(kUnknownRuntime);
}

}  // namespace roster

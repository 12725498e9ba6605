#include "cli/entry.h"

#include <cstring>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "daemon/convert.h"
#include "lookup/state_names.h"

namespace roster::cli {

Entry EntryFromProto(const v1::Container& proto) {
  Entry entry;
  entry.container = FromProto(proto);
  entry.state = proto.pinned().state();
  entry.flags = proto.pinned().flags();
  entry.created_at = proto.pinned().created_at();
  if (entry.container.runtime.container_started_at == 0) {
    entry.container.runtime.container_started_at = proto.pinned().started_at();
  }
  return entry;
}

Entry EntryFromMember(const Member& member) {
  const roster_membership& membership = member.membership;
  const roster_record& record = member.record;
  Entry entry;
  Container& container = entry.container;
  container.handle = member.handle;
  container.runtime.runtime_name = record.runtime;
  container.runtime.container_id = record.id;
  container.runtime.container_name = record.name;
  container.runtime.container_pid = membership.init_pid != 0 ? membership.init_pid : record.pid;
  container.runtime.container_image_name = record.image;
  container.runtime.container_started_at = static_cast<int64_t>(record.started_at_ns);
  container.k8s.namespace_name = record.pod_namespace;
  container.k8s.pod_name = record.pod_name;
  container.k8s.pod_uid = record.pod_uid;
  container.k8s.container_name = record.k8s_container;
  // The reader has ended the last byte with a NUL.
  for (const char* label = record.labels;
       label < record.labels + sizeof(record.labels) && *label != '\0';
       label += strlen(label) + 1) {
    const std::string_view text(label);
    const size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    container.k8s.pod_labels[std::string(text.substr(0, equals))] =
        std::string(text.substr(equals + 1));
  }
  container.mntns = membership.mntns;
  container.netns = membership.netns;
  container.cgroup_id = membership.cgroup_id;
  container.host_network = (membership.flags & ROSTER_F_HOST_NETWORK) != 0;
  entry.state = std::string(StateName(membership.state));
  entry.flags = membership.flags;
  entry.created_at = static_cast<int64_t>(record.created_at_ns);
  return entry;
}

bool IsListed(const Member& member) {
  return (member.membership.flags & (ROSTER_F_POD | ROSTER_F_JOIN | ROSTER_F_SANDBOX)) == 0 &&
         member.membership.state != ROSTER_ENDED;
}

std::string DisplayName(const Entry& entry) {
  const Container& container = entry.container;
  if (!container.k8s.pod_name.empty()) {
    return absl::StrCat(container.k8s.namespace_name, "/", container.k8s.pod_name, "/",
                        container.k8s.container_name);
  }
  return container.runtime.container_name.empty() ? container.runtime.container_id
                                                  : container.runtime.container_name;
}

int64_t StartedAt(const Entry& entry) {
  const int64_t started = entry.container.runtime.container_started_at;
  return started != 0 ? started : entry.created_at;
}

std::string DisplayStatus(const Entry& entry) {
  if (entry.state.empty()) return "running";  // the daemon lists nobody else
  if ((entry.flags & ROSTER_F_PROVISIONAL) != 0 && entry.state == "running") return "provisional";
  return entry.state;
}

}  // namespace roster::cli

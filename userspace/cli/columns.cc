#include "cli/columns.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "cli/age.h"
#include "kernel/errors.h"
#include "lookup/state_names.h"

namespace roster::cli {
namespace {

std::string NumberOrDash(uint64_t number) { return number == 0 ? "-" : absl::StrCat(number); }

std::string TimeOrDash(int64_t ns) {
  if (ns == 0) return "-";
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3S%Ez", absl::FromUnixNanos(ns), absl::LocalTimeZone());
}

// As the reference: a digest in place of a name is shown by its first 12 digits.
std::string ImageName(const Entry& entry, absl::Time) {
  const std::string& image = entry.container.runtime.container_image_name;
  if (absl::StrContains(image, "sha256")) {
    const size_t colon = image.find(':');
    return image.substr(colon == std::string::npos ? 0 : colon + 1, 12);
  }
  return image;
}

std::string ShortId(const Entry& entry, absl::Time) {
  return entry.container.runtime.container_id.substr(0, 12);
}

std::string Flags(const Entry& entry, absl::Time) {
  std::string text;
  for (const std::string_view name : FlagNames(entry.flags)) {
    if (!text.empty()) text += ',';
    text += name;
  }
  return text;
}

std::string Labels(const Entry& entry, absl::Time) {
  std::string text;
  for (const auto& [key, value] : entry.container.k8s.pod_labels) {
    absl::StrAppend(&text, text.empty() ? "" : ",", key, "=", value);
  }
  return text;
}

std::string Age(const Entry& entry, absl::Time now) {
  const int64_t started = StartedAt(entry);
  return started == 0 ? "-" : HumanAge(now - absl::FromUnixNanos(started));
}

// Sorted by age: the youngest first.
uint64_t AgeNumber(const Entry& entry) { return ~static_cast<uint64_t>(StartedAt(entry)); }

#define ROSTER_TEXT(expression) [](const Entry& e, absl::Time) -> std::string { return expression; }
#define ROSTER_NUMBER(expression)                                                     \
  [](const Entry& e, absl::Time) -> std::string { return NumberOrDash(expression); }, \
      [](const Entry& e) -> uint64_t { return expression; }

const std::vector<Column>* MakeColumns() {
  return new std::vector<Column>{
      {"runtime", "runtime.runtimeName", "engine, or OCI runtime where there is no engine", 0,
       false, ROSTER_TEXT(e.container.runtime.runtime_name), nullptr},
      {"id", "", "container id, the first 12 characters", 0, false, ShortId, nullptr},
      {"fullid", "runtime.containerId", "container id", 0, false,
       ROSTER_TEXT(e.container.runtime.container_id), nullptr},
      {"name", "runtime.containerName", "name; namespace/pod/container in Kubernetes", 40, false,
       ROSTER_TEXT(DisplayName(e)), nullptr},
      {"image", "runtime.containerImageName", "image name", 40, false, ImageName, nullptr},
      {"pid", "runtime.containerPid", "init's process id on the host", 0, true,
       ROSTER_NUMBER(e.container.runtime.container_pid)},
      {"mntns", "", "inode of the mount namespace", 0, true, ROSTER_NUMBER(e.container.mntns)},
      {"netns", "", "inode of the network namespace", 0, true, ROSTER_NUMBER(e.container.netns)},
      {"cgroup", "", "cgroup id", 0, true, ROSTER_NUMBER(e.container.cgroup_id)},
      {"age", "", "time since its start", 0, true, Age, AgeNumber},
      {"status", "", "pending, running, provisional, exiting", 0, false,
       ROSTER_TEXT(DisplayStatus(e)), nullptr},
      {"oci", "", "OCI runtime", 0, false, ROSTER_TEXT(e.container.oci_runtime), nullptr},
      {"namespace", "k8s.namespace", "Kubernetes namespace", 40, false,
       ROSTER_TEXT(e.container.k8s.namespace_name), nullptr},
      {"pod", "k8s.podName", "Kubernetes pod", 40, false, ROSTER_TEXT(e.container.k8s.pod_name),
       nullptr},
      {"container", "k8s.containerName", "name within the pod", 40, false,
       ROSTER_TEXT(e.container.k8s.container_name), nullptr},
      {"poduid", "", "Kubernetes pod UID", 0, false, ROSTER_TEXT(e.container.k8s.pod_uid), nullptr},
      {"labels", "k8s.labels", "pod labels", 0, false, Labels, nullptr},
      {"imageid", "runtime.containerImageID", "image id", 0, false,
       ROSTER_TEXT(e.container.runtime.container_image_id), nullptr},
      {"digest", "runtime.containerImageDigest", "image digest", 0, false,
       ROSTER_TEXT(e.container.runtime.container_image_digest), nullptr},
      {"started", "runtime.containerStartedAt", "time of its start", 0, false,
       ROSTER_TEXT(TimeOrDash(StartedAt(e))), nullptr},
      {"hostnetwork", "", "shares the host's network namespace", 0, false,
       ROSTER_TEXT(e.container.host_network ? "true" : "false"), nullptr},
      {"handle", "", "number in the pinned maps", 0, true, ROSTER_NUMBER(e.container.handle)},
      {"flags", "", "flags of the membership", 0, false, Flags, nullptr},
      {"cgrouppath", "", "cgroup directory", 0, false, ROSTER_TEXT(e.container.cgroup_path),
       nullptr},
      {"bundle", "", "OCI bundle directory", 0, false, ROSTER_TEXT(e.container.bundle), nullptr},
      {"sandbox", "", "id of the pod's sandbox", 0, false, ROSTER_TEXT(e.container.sandbox_id),
       nullptr},
  };
}

#undef ROSTER_TEXT
#undef ROSTER_NUMBER

absl::StatusOr<const Column*> FindColumn(absl::string_view name) {
  std::vector<absl::string_view> known;
  for (const Column& column : AllColumns()) {
    if (absl::EqualsIgnoreCase(name, column.name) ||
        (*column.reference != '\0' && absl::EqualsIgnoreCase(name, column.reference))) {
      return &column;
    }
    known.push_back(column.name);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("column \"", name, "\" is not known; there are ", absl::StrJoin(known, ", ")));
}

std::vector<const Column*> Named(std::initializer_list<absl::string_view> names) {
  std::vector<const Column*> columns;
  for (const absl::string_view name : names) columns.push_back(FindColumn(name).value());
  return columns;
}

}  // namespace

const std::vector<Column>& AllColumns() {
  static const std::vector<Column>& columns = *MakeColumns();  // never destroyed
  return columns;
}

std::vector<const Column*> TableColumns() {
  return Named(
      {"runtime", "id", "name", "image", "pid", "mntns", "netns", "cgroup", "age", "status"});
}

std::vector<const Column*> WideColumns() {
  return Named({"runtime", "oci", "fullid", "name", "image", "pid", "mntns", "netns", "cgroup",
                "age", "status", "handle", "flags", "cgrouppath", "labels"});
}

absl::StatusOr<std::vector<const Column*>> ParseColumns(std::string_view text) {
  std::vector<const Column*> columns;
  for (const absl::string_view name :
       absl::StrSplit(absl::string_view(text.data(), text.size()), ',')) {
    ROSTER_ASSIGN_OR_RETURN(const Column* column, FindColumn(absl::StripAsciiWhitespace(name)));
    columns.push_back(column);
  }
  return columns;
}

absl::Status SortEntries(std::string_view keys, std::vector<Entry>* entries) {
  struct Key {
    const Column* column;
    bool descending;
  };
  std::vector<Key> parsed;
  for (absl::string_view name : absl::StrSplit(absl::string_view(keys.data(), keys.size()), ',')) {
    const bool descending = absl::ConsumePrefix(&name, "-");
    ROSTER_ASSIGN_OR_RETURN(const Column* column, FindColumn(absl::StripAsciiWhitespace(name)));
    parsed.push_back({column, descending});
  }
  if (entries == nullptr) return absl::OkStatus();
  const absl::Time now = absl::UnixEpoch();  // nothing is sorted by a text that depends on it
  // From the least to the most important key.
  for (auto key = parsed.rbegin(); key != parsed.rend(); ++key) {
    const auto less = [&](const Entry& a, const Entry& b) {
      if (key->column->number != nullptr) return key->column->number(a) < key->column->number(b);
      return key->column->text(a, now) < key->column->text(b, now);
    };
    std::stable_sort(entries->begin(), entries->end(), [&](const Entry& a, const Entry& b) {
      return key->descending ? less(b, a) : less(a, b);
    });
  }
  return absl::OkStatus();
}

}  // namespace roster::cli

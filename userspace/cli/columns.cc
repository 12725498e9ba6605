#include "cli/columns.h"

#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "cli/age.h"
#include "kernel/errors.h"
#include "lookup/state_names.h"

namespace roster::cli {
namespace {

std::string TimeText(int64_t ns) {
  if (ns == 0) return "";
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3S%Ez", absl::FromUnixNanos(ns), absl::LocalTimeZone());
}

// As the reference: a digest in place of a name is shown by its first 12 digits.
std::string ImageText(const Entry& entry) {
  std::string image = entry.container.runtime.container_image_name;
  if (!absl::StrContains(image, "sha256")) return image;
  const size_t colon = image.find(':');
  return image.substr(colon == std::string::npos ? 0 : colon + 1, 12);
}

std::string FlagsText(const Entry& entry) {
  std::string text;
  for (const std::string_view name : FlagNames(entry.flags)) {
    if (!text.empty()) text += ',';
    text += name;
  }
  return text;
}

// The columns in the order in which they are added, hidden until Show.
class Builder {
 public:
  template <typename Value>
  EntryColumn& Add(const char* name, const char* help, Value value) {
    EntryColumn& column = columns_.emplace_back();
    column.name = name;
    column.description = help;
    column.hide = true;
    column.order = static_cast<int>(columns_.size());
    column.value = [value](const Entry& entry) -> ColumnValue { return value(entry); };
    return column;
  }
  // The text is cut to `max_width` in the normal table; 0: never.
  template <typename TextOf>
  EntryColumn& Text(const char* name, int max_width, const char* help, TextOf text) {
    EntryColumn& column =
        Add(name, help, [text](const Entry& entry) { return std::string(text(entry)); });
    column.max_width = max_width;
    return column;
  }
  template <typename NumberOf>
  EntryColumn& Number(const char* name, const char* help, NumberOf number) {
    EntryColumn& column =
        Add(name, help, [number](const Entry& entry) { return uint64_t{number(entry)}; });
    column.alignment = Alignment::kRight;
    column.text = [number](const Entry& entry) {
      const uint64_t value = number(entry);
      return value == 0 ? "" : absl::StrCat(value);
    };
    return column;
  }
  EntryColumns Build() {
    EntryColumns columns;
    // Only a fault in this file makes it fail, and every test of columns would see it.
    for (EntryColumn& column : columns_) columns.Add(std::move(column)).IgnoreError();
    return columns;
  }

 private:
  std::vector<EntryColumn> columns_;
};

void Show(EntryColumn& column) { column.hide = false; }

EntryColumn& Alias(EntryColumn& column, const char* reference) {
  column.aliases = {reference};
  return column;
}

void AddIdentity(Builder* b) {
  Show(Alias(b->Text("runtime", 0, "engine, or OCI runtime where there is no engine",
                     [](const Entry& e) { return e.container.runtime.runtime_name; }),
             "runtime.runtimeName"));
  Show(b->Text("id", 0, "container id, the first 12 characters",
               [](const Entry& e) { return e.container.runtime.container_id.substr(0, 12); }));
  Alias(b->Text("fullid", 0, "container id",
                [](const Entry& e) { return e.container.runtime.container_id; }),
        "runtime.containerId");
  Show(Alias(b->Text("name", 40, "name; namespace/pod/container in Kubernetes", DisplayName),
             "runtime.containerName"));
  EntryColumn& image = b->Text("image", 40, "image name", [](const Entry& e) {
    return e.container.runtime.container_image_name;
  });
  image.text = ImageText;
  Show(Alias(image, "runtime.containerImageName"));
}

void AddKernel(Builder* b) {
  Show(Alias(b->Number("pid", "init's process id on the host",
                       [](const Entry& e) { return e.container.runtime.container_pid; }),
             "runtime.containerPid"));
  Show(b->Number("mntns", "inode of the mount namespace",
                 [](const Entry& e) { return e.container.mntns; }));
  Show(b->Number("netns", "inode of the network namespace",
                 [](const Entry& e) { return e.container.netns; }));
  Show(b->Number("cgroup", "cgroup id", [](const Entry& e) { return e.container.cgroup_id; }));
}

void AddState(const std::function<absl::Time()>& clock, Builder* b) {
  const auto age = [clock](const Entry& e) {
    return StartedAt(e) == 0 ? absl::InfiniteDuration()
                             : clock() - absl::FromUnixNanos(StartedAt(e));
  };
  EntryColumn& column = b->Add("age", "time since its start", age);
  column.alignment = Alignment::kRight;
  column.text = [age](const Entry& e) { return StartedAt(e) == 0 ? "" : HumanAge(age(e)); };
  Show(column);
  Show(b->Text("status", 0, "pending, running, provisional, exiting", DisplayStatus));
  b->Text("oci", 0, "OCI runtime", [](const Entry& e) { return e.container.oci_runtime; });
}

void AddKubernetes(Builder* b) {
  Alias(b->Text("namespace", 40, "Kubernetes namespace",
                [](const Entry& e) { return e.container.k8s.namespace_name; }),
        "k8s.namespace");
  Alias(
      b->Text("pod", 40, "Kubernetes pod", [](const Entry& e) { return e.container.k8s.pod_name; }),
      "k8s.podName")
      .ellipsis = Ellipsis::kMiddle;
  Alias(b->Text("container", 40, "name within the pod",
                [](const Entry& e) { return e.container.k8s.container_name; }),
        "k8s.containerName");
  b->Text("poduid", 0, "Kubernetes pod UID",
          [](const Entry& e) { return e.container.k8s.pod_uid; });
  Alias(b->Text("labels", 0, "pod labels",
                [](const Entry& e) { return e.container.K8sPodLabelsAsString(); }),
        "k8s.labels");
}

void AddDetails(Builder* b) {
  Alias(b->Text("imageid", 0, "image id",
                [](const Entry& e) { return e.container.runtime.container_image_id; }),
        "runtime.containerImageID");
  Alias(b->Text("digest", 0, "image digest",
                [](const Entry& e) { return e.container.runtime.container_image_digest; }),
        "runtime.containerImageDigest");
  EntryColumn& started = b->Add("started", "time of its start", StartedAt);
  started.text = [](const Entry& e) { return TimeText(StartedAt(e)); };
  Alias(started, "runtime.containerStartedAt");
  b->Add("hostnetwork", "shares the host's network namespace",
         [](const Entry& e) { return e.container.host_network; });
  b->Number("handle", "number in the pinned maps",
            [](const Entry& e) { return e.container.handle; });
  b->Text("flags", 0, "flags of the membership", FlagsText);
  b->Text("cgrouppath", 0, "cgroup directory",
          [](const Entry& e) { return e.container.cgroup_path; });
  b->Text("bundle", 0, "OCI bundle directory", [](const Entry& e) { return e.container.bundle; });
  b->Text("sandbox", 0, "id of the pod's sandbox",
          [](const Entry& e) { return e.container.sandbox_id; });
}

Rows<Entry> ToRows(std::vector<Entry> entries) {
  Rows<Entry> rows;
  rows.reserve(entries.size());
  for (Entry& entry : entries) rows.push_back(std::make_shared<const Entry>(std::move(entry)));
  return rows;
}

std::vector<std::string> Keys(std::string_view keys) {
  return absl::StrSplit(absl::string_view(keys.data(), keys.size()), ',');
}

}  // namespace

EntryColumns MakeEntryColumns(const std::function<absl::Time()>& clock) {
  Builder builder;
  AddIdentity(&builder);
  AddKernel(&builder);
  AddState(clock, &builder);
  AddKubernetes(&builder);
  AddDetails(&builder);
  return builder.Build();
}

const EntryColumns& AllColumns() {
  static const EntryColumns& columns = *new EntryColumns(MakeEntryColumns(absl::Now));
  return columns;
}

const EntryColumn& EventColumn() {
  static const EntryColumn& column = *[] {
    auto* event = new EntryColumn;
    event->name = "event";
    event->width = 8;  // "MODIFIED" may come when the widths are settled
    event->fixed = true;
    event->value = [](const Entry& entry) -> ColumnValue { return entry.event; };
    return event;
  }();
  return column;
}

std::vector<const EntryColumn*> WideColumns() {
  return AllColumns()
      .Choose(
          "runtime,oci,fullid,name,image,pid,mntns,netns,cgroup,age,status,handle,flags,"
          "cgrouppath,labels")
      .value();
}

absl::StatusOr<std::vector<const EntryColumn*>> ParseColumns(std::string_view text) {
  // No name at all is a slip of a script, not the wish for the usual table.
  return AllColumns().Choose(text.empty() ? "," : text);
}

absl::Status CheckSortKeys(std::string_view keys) {
  std::string names;
  for (const std::string& key : Keys(keys)) {
    absl::StrAppend(&names, names.empty() ? "" : ",", key.substr(key.starts_with('-') ? 1 : 0));
  }
  return ParseColumns(names).status();
}

absl::Status SortEntries(std::string_view keys, std::vector<Entry>* entries) {
  ROSTER_RETURN_IF_ERROR(CheckSortKeys(keys));
  // One moment for all rows, so that ages compare as starts do.
  const absl::Time now = absl::Now();
  Rows<Entry> rows = ToRows(std::move(*entries));
  SortRows(MakeEntryColumns([now] { return now; }), Keys(keys), &rows);
  entries->clear();
  for (const auto& row : rows) entries->push_back(*row);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<EntryFilter>> ParseFilters(const std::vector<std::string>& texts) {
  return ParseColumnFilters(AllColumns(), texts);
}

bool PassesAll(const Entry& entry, const std::vector<EntryFilter>& filters) {
  for (const EntryFilter& filter : filters) {
    if (!filter(entry)) return false;
  }
  return true;
}

}  // namespace roster::cli

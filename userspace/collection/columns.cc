#include "roster/columns.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"

namespace roster {
namespace {

absl::string_view Absl(std::string_view text) {
  return absl::string_view(text.data(), text.size());
}

bool HasTag(const Column& column, std::string_view tag) {
  return std::any_of(column.tags.begin(), column.tags.end(), [&](const std::string& own) {
    return absl::EqualsIgnoreCase(own, Absl(tag));
  });
}

template <typename Predicate>
std::vector<const Column*> Only(std::vector<const Column*> columns, Predicate keep) {
  std::erase_if(columns, [&](const Column* column) { return !keep(*column); });
  return columns;
}

// An image that is only an id is shown by the beginning of it.
std::string ShortImageName(const std::string& image) {
  if (image.find("sha256") == std::string::npos) return image;
  const size_t colon = image.find(':');
  return image.substr(colon == std::string::npos ? 0 : colon + 1, 12);
}

std::string LocalTime(int64_t nanoseconds) {
  if (nanoseconds == 0) return "";
  std::string text = absl::FormatTime("%Y-%m-%d%ET%H:%M:%E9S%Ez", absl::FromUnixNanos(nanoseconds),
                                      absl::LocalTimeZone());
  if (absl::EndsWith(text, "+00:00")) text.replace(text.size() - 6, 6, "Z");
  return text;
}

// Collects the columns in their order, ten apart as the reference numbers them.
class Builder {
 public:
  Column& Text(std::string name, std::string tag,
               std::function<const std::string&(const Container&)> get) {
    return Add(std::move(name), std::move(tag),
               [get = std::move(get)](const Container& c) -> ColumnValue { return get(c); });
  }
  template <typename Get>
  Column& Value(std::string name, std::string tag, Get get) {
    return Add(std::move(name), std::move(tag),
               [get](const Container& c) -> ColumnValue { return get(c); });
  }
  Columns Build() {
    Columns columns;
    for (Column& column : columns_) columns.Add(std::move(column)).IgnoreError();
    return columns;
  }

 private:
  Column& Add(std::string name, std::string tag,
              std::function<ColumnValue(const Container&)> value) {
    Column column;
    column.name = std::move(name);
    if (!tag.empty()) column.tags.push_back(std::move(tag));
    column.order = 10 * static_cast<int>(columns_.size());
    column.value = std::move(value);
    columns_.push_back(std::move(column));
    return columns_.back();
  }
  std::vector<Column> columns_;
};

void Hide(Column& column, int width) {
  column.hide = true;
  column.width = width;
}

}  // namespace

absl::Status Columns::Add(Column column) {
  if (column.name.empty() || column.value == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("add column \"", column.name, "\": it needs a name and a value"));
  }
  if (column.min_width < 1 || column.width < column.min_width ||
      (column.max_width != 0 && column.max_width < column.width)) {
    return absl::InvalidArgumentError(absl::StrCat("add column ", column.name, ": the width ",
                                                   column.width, " is not within ",
                                                   column.min_width, " and ", column.max_width));
  }
  if (Find(column.name) != nullptr) {
    return absl::AlreadyExistsError(absl::StrCat("add column ", column.name, ": is there already"));
  }
  const auto place = std::upper_bound(
      columns_.begin(), columns_.end(), column.order,
      [](int order, const std::shared_ptr<const Column>& other) { return order < other->order; });
  columns_.insert(place, std::make_shared<const Column>(std::move(column)));
  return absl::OkStatus();
}

const Column* Columns::Find(std::string_view name) const {
  for (const std::shared_ptr<const Column>& column : columns_) {
    if (absl::EqualsIgnoreCase(column->name, Absl(name))) return column.get();
  }
  return nullptr;
}

std::vector<const Column*> Columns::All() const {
  std::vector<const Column*> all;
  for (const std::shared_ptr<const Column>& column : columns_) all.push_back(column.get());
  return all;
}

std::vector<const Column*> Columns::Shown() const {
  return Only(All(), [](const Column& column) { return !column.hide; });
}

std::vector<const Column*> Columns::WithTag(std::string_view tag) const {
  return Only(All(), [tag](const Column& column) { return HasTag(column, tag); });
}

std::vector<const Column*> Columns::WithoutTag(std::string_view tag) const {
  return Only(All(), [tag](const Column& column) { return !HasTag(column, tag); });
}

absl::StatusOr<std::vector<const Column*>> Columns::Choose(std::string_view names) const {
  if (names.empty()) return Shown();
  std::vector<const Column*> chosen;
  const bool changes = names.front() == '+' || names.front() == '-';
  if (changes) chosen = Shown();
  for (absl::string_view part : absl::StrSplit(Absl(names), ',')) {
    const bool is_change = !part.empty() && (part.front() == '+' || part.front() == '-');
    if (is_change != changes) {
      return absl::InvalidArgumentError(
          "columns: either all names have a '+' or '-' before them, or none has");
    }
    const absl::string_view name = is_change ? part.substr(1) : part;
    const Column* column = Find(std::string_view(name.data(), name.size()));
    if (column == nullptr) {
      std::string known;
      for (const Column* other : All()) {
        absl::StrAppend(&known, known.empty() ? "" : ", ", other->name);
      }
      return absl::InvalidArgumentError(
          absl::StrCat("columns: there is no \"", name, "\"; there are ", known));
    }
    std::erase(chosen, column);
    if (!is_change || part.front() == '+') chosen.push_back(column);
  }
  return chosen;
}

Columns GetColumns() {
  constexpr char kRuntime[] = "runtime";
  constexpr char kKubernetes[] = "kubernetes";
  Builder builder;
  Column& runtime = builder.Text(
      "runtime.runtimeName", kRuntime,
      [](const Container& c) -> auto& { return c.runtime.runtime_name; });
  Hide(runtime, 19);
  runtime.fixed = true;
  Column& id = builder.Text(
      "runtime.containerId", kRuntime,
      [](const Container& c) -> auto& { return c.runtime.container_id; });
  Hide(id, 13);
  id.max_width = 64;
  builder
      .Text(
          "runtime.containerName", kRuntime,
          [](const Container& c) -> auto& { return c.runtime.container_name; })
      .width = 30;
  Column& pid = builder.Value("runtime.containerPid", kRuntime,
                              [](const Container& c) { return uint64_t{c.runtime.container_pid}; });
  Hide(pid, 6);
  pid.max_width = 10;
  Column& image = builder.Text(
      "runtime.containerImageName", kRuntime,
      [](const Container& c) -> auto& { return c.runtime.container_image_name; });
  Hide(image, 16);
  image.text = [](const Container& c) { return ShortImageName(c.runtime.container_image_name); };
  Hide(builder.Text(
           "runtime.containerImageID", kRuntime,
           [](const Container& c) -> auto& { return c.runtime.container_image_id; }),
       16);
  Hide(builder.Text(
           "runtime.containerImageDigest", kRuntime,
           [](const Container& c) -> auto& { return c.runtime.container_image_digest; }),
       16);
  Column& started = builder.Value("runtime.containerStartedAt", kRuntime, [](const Container& c) {
    return c.runtime.container_started_at;
  });
  Hide(started, 35);
  started.max_width = 35;
  started.text = [](const Container& c) { return LocalTime(c.runtime.container_started_at); };
  builder
      .Text(
          "k8s.namespace", kKubernetes,
          [](const Container& c) -> auto& { return c.k8s.namespace_name; })
      .width = 30;
  Column& pod = builder.Text(
      "k8s.podName", kKubernetes, [](const Container& c) -> auto& { return c.k8s.pod_name; });
  pod.width = 30;
  pod.ellipsis = Ellipsis::kMiddle;
  Hide(builder.Value("k8s.labels", kKubernetes,
                     [](const Container& c) { return c.K8sPodLabelsAsString(); }),
       16);
  builder
      .Text(
          "k8s.containerName", kKubernetes,
          [](const Container& c) -> auto& { return c.k8s.container_name; })
      .width = 30;
  Hide(builder.Value("mntns", "", [](const Container& c) { return c.mntns; }), 12);
  Hide(builder.Value("netns", "", [](const Container& c) { return c.netns; }), 12);
  Column& host =
      builder.Value("hostNetwork", "", [](const Container& c) { return c.host_network; });
  Hide(host, 11);
  host.fixed = true;
  return builder.Build();
}

std::vector<std::string> SortRows(const Columns& columns, const std::vector<std::string>& keys,
                                  std::vector<ContainerPtr>* rows) {
  std::vector<std::string> ignored;
  for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
    const bool descending = !key->empty() && key->front() == '-';
    const std::string_view name = std::string_view(*key).substr(descending ? 1 : 0);
    const Column* column = columns.Find(name);
    if (column == nullptr) {
      ignored.insert(ignored.begin(), *key);
      continue;
    }
    std::stable_sort(rows->begin(), rows->end(), [&](const ContainerPtr& a, const ContainerPtr& b) {
      if (a == nullptr || b == nullptr) return a != nullptr && b == nullptr;
      const ColumnValue x = column->value(*a);
      const ColumnValue y = column->value(*b);
      return descending ? y < x : x < y;
    });
  }
  return ignored;
}

absl::StatusOr<std::vector<ContainerPtr>> GroupRows(const Columns& columns,
                                                    const std::vector<std::string>& keys,
                                                    const std::vector<ContainerPtr>& rows) {
  std::vector<const Column*> by;
  for (const std::string& key : keys) {
    if (key.empty()) continue;
    const Column* column = columns.Find(key);
    if (column == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat("group: there is no column \"", key, "\""));
    }
    by.push_back(column);
  }
  if (keys.empty()) return rows;
  std::vector<std::shared_ptr<Container>> groups;
  std::map<std::vector<ColumnValue>, size_t> places;
  for (const ContainerPtr& row : rows) {
    if (row == nullptr) continue;
    std::vector<ColumnValue> key;
    for (const Column* column : by) key.push_back(column->value(*row));
    const auto [place, fresh] = places.emplace(std::move(key), groups.size());
    if (fresh) {
      groups.push_back(std::make_shared<Container>(*row));
      continue;
    }
    for (const Column* column : columns.All()) {
      if (column->sum) column->sum(groups[place->second].get(), *row);
    }
  }
  return std::vector<ContainerPtr>(groups.begin(), groups.end());
}

}  // namespace roster

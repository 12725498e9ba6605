#include "roster/columns.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/time/time.h"

namespace roster {
namespace {

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
               std::function<std::string(const Container&)> get) {
    return Add(std::move(name), std::move(tag),
               [get = std::move(get)](const Container& c) -> ColumnValue { return get(c); });
  }
  template <typename Get>
  Column& Value(const std::string& name, const std::string& tag, Get get) {
    return Add(name, tag, [get](const Container& c) -> ColumnValue { return get(c); });
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

}  // namespace roster

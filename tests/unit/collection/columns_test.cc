#include "roster/columns.h"

#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace roster {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> Names(const std::vector<const Column*>& columns) {
  std::vector<std::string> names;
  for (const Column* column : columns) names.push_back(column->name);
  return names;
}

ContainerPtr Row(std::string id, std::string runtime, std::string name, uint32_t pid,
                 bool host = false) {
  auto c = std::make_shared<Container>();
  c->runtime.container_id = std::move(id);
  c->runtime.runtime_name = std::move(runtime);
  c->runtime.container_name = std::move(name);
  c->runtime.container_pid = pid;
  c->host_network = host;
  return c;
}

std::vector<std::string> Ids(const std::vector<ContainerPtr>& rows) {
  std::vector<std::string> ids;
  for (const ContainerPtr& row : rows) ids.push_back(row ? row->runtime.container_id : "null");
  return ids;
}

TEST(Columns, AreThoseOfTheReference) {
  struct Expected {
    const char* name;
    int width;
    int max_width;
    bool hide;
    bool fixed;
    const char* tag;
  };
  const std::vector<Expected> table = {
      {"runtime.runtimeName", 19, 0, true, true, "runtime"},
      {"runtime.containerId", 13, 64, true, false, "runtime"},
      {"runtime.containerName", 30, 0, false, false, "runtime"},
      {"runtime.containerPid", 6, 10, true, false, "runtime"},
      {"runtime.containerImageName", 16, 0, true, false, "runtime"},
      {"runtime.containerImageID", 16, 0, true, false, "runtime"},
      {"runtime.containerImageDigest", 16, 0, true, false, "runtime"},
      {"runtime.containerStartedAt", 35, 35, true, false, "runtime"},
      {"k8s.namespace", 30, 0, false, false, "kubernetes"},
      {"k8s.podName", 30, 0, false, false, "kubernetes"},
      {"k8s.labels", 16, 0, true, false, "kubernetes"},
      {"k8s.containerName", 30, 0, false, false, "kubernetes"},
      {"mntns", 12, 0, true, false, ""},
      {"netns", 12, 0, true, false, ""},
      {"hostNetwork", 11, 0, true, true, ""},
  };
  const Columns columns = GetColumns();
  const std::vector<const Column*> all = columns.All();
  ASSERT_EQ(all.size(), table.size());
  for (size_t i = 0; i < table.size(); ++i) {
    SCOPED_TRACE(table[i].name);
    EXPECT_EQ(all[i]->name, table[i].name);
    EXPECT_EQ(all[i]->order, static_cast<int>(10 * i));
    EXPECT_EQ(all[i]->width, table[i].width);
    EXPECT_EQ(all[i]->max_width, table[i].max_width);
    EXPECT_EQ(all[i]->hide, table[i].hide);
    EXPECT_EQ(all[i]->fixed, table[i].fixed);
    EXPECT_EQ(all[i]->tags.empty() ? "" : all[i]->tags[0], table[i].tag);
  }
  EXPECT_EQ(columns.Find("K8S.PODNAME")->ellipsis, Ellipsis::kMiddle);
  EXPECT_EQ(columns.Find("nothing"), nullptr);
  EXPECT_EQ(columns.WithTag("runtime").size(), 8u);
  EXPECT_EQ(columns.WithoutTag("kubernetes").size(), 11u);
}

TEST(Columns, AreChosenByName) {
  const Columns columns = GetColumns();
  EXPECT_THAT(Names(*columns.Choose("")), ElementsAre("runtime.containerName", "k8s.namespace",
                                                      "k8s.podName", "k8s.containerName"));
  EXPECT_THAT(Names(*columns.Choose("mntns,K8s.podname")), ElementsAre("mntns", "k8s.podName"));
  EXPECT_THAT(Names(*columns.Choose("+mntns,-k8s.podName,-k8s.namespace")),
              ElementsAre("runtime.containerName", "k8s.containerName", "mntns"));
  for (const char* wrong : {"nothing", "mntns,", "+mntns,netns", "mntns,-netns", "-"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(columns.Choose(wrong).status())) << wrong;
  }
}

TEST(Columns, AnUnsoundColumnIsRefused) {
  Columns columns = GetColumns();
  Column column;
  EXPECT_TRUE(absl::IsInvalidArgument(columns.Add(column)));
  column.name = "MNTNS";
  column.value = [](const Container&) -> ColumnValue { return true; };
  EXPECT_TRUE(absl::IsAlreadyExists(columns.Add(column)));
  column.name = "new";
  column.max_width = 3;
  EXPECT_TRUE(absl::IsInvalidArgument(columns.Add(column)));
  column.width = 2;
  EXPECT_TRUE(columns.Add(column).ok());
}

TEST(Columns, SortIsStableAndTakesKeysFromTheLeft) {
  const Columns columns = GetColumns();
  std::vector<ContainerPtr> rows = {Row("1", "docker", "b", 9), nullptr,
                                    Row("2", "podman", "a", 10), Row("3", "docker", "a", 2),
                                    Row("4", "docker", "b", 1)};
  EXPECT_THAT(SortRows(columns, {"runtime.runtimeName", "-runtime.containerName"}, &rows),
              IsEmpty());
  EXPECT_THAT(Ids(rows), ElementsAre("1", "4", "3", "2", "null"));
  EXPECT_THAT(SortRows(columns, {"nothing", "runtime.containerPid"}, &rows),
              ElementsAre("nothing"));
  EXPECT_THAT(Ids(rows), ElementsAre("4", "3", "1", "2", "null"));
}

TEST(Columns, Filters) {
  const Columns columns = GetColumns();
  const std::vector<ContainerPtr> rows = {Row("1", "docker", "web", 9, true),
                                          Row("2", "podman", "api", 10), Row("3", "", "web-2", 2)};
  const std::vector<std::pair<std::string, std::vector<std::string>>> table = {
      {"runtime.runtimeName:docker", {"1"}},
      {"runtime.runtimename:!docker", {"2", "3"}},
      {"runtime.runtimeName", {"3"}},
      {"runtime.runtimeName:", {"3"}},
      {"runtime.runtimeName:!", {"1", "2"}},
      {"runtime.containerName:~^web", {"1", "3"}},
      {"runtime.containerName:!~^web", {"2"}},
      {"runtime.containerName:>=web", {"1", "3"}},
      {"runtime.containerName:<b", {"2"}},
      {"runtime.containerPid:9", {"1"}},
      {"runtime.containerPid:>9", {"2"}},
      {"runtime.containerPid:>=9", {"1", "2"}},
      {"runtime.containerPid:<=9", {"1", "3"}},
      {"runtime.containerPid:!<9", {"1", "2"}},
      {"runtime.containerPid:~^1", {"2"}},
      {"hostNetwork:true", {"1"}},
      {"hostNetwork", {"2", "3"}},
  };
  for (const auto& [text, ids] : table) {
    const auto filters = ParseColumnFilters(columns, {text});
    ASSERT_TRUE(filters.ok()) << filters.status();
    EXPECT_EQ(Ids(FilterRows(rows, *filters)), ids) << text;
  }
  const auto both =
      ParseColumnFilters(columns, {"runtime.containerName:~web", "hostNetwork:false"});
  EXPECT_THAT(Ids(FilterRows(rows, *both)), ElementsAre("3"));
}

TEST(Columns, AFilterThatDoesNotParsePointsAtThePlace) {
  const Columns columns = GetColumns();
  const std::vector<std::pair<std::string, std::string>> table = {
      {"nothing:1", "offset 0: there is no such column"},
      {"", "offset 0"},
      {"runtime.containerPid:x", "offset 21: expected a whole number"},
      {"runtime.containerPid:>=-1", "offset 23: expected a whole number"},
      {"hostNetwork:perhaps", "offset 12: expected true or false"},
      {"k8s.namespace:!~(", "offset 16: missing )"},
      {"k8s.namespace:~" + std::string(20000, 'a'), "limit"},
      {"k8s.namespace:~((a{100}){100}){100}", "offset 15"},
  };
  for (const auto& [text, wanted] : table) {
    const auto filter = ParseColumnFilter(columns, text);
    EXPECT_TRUE(absl::IsInvalidArgument(filter.status())) << text;
    EXPECT_THAT(std::string(filter.status().message()), HasSubstr(wanted)) << text;
  }
}

TEST(Columns, GroupsAndSums) {
  Columns columns = GetColumns();
  Column total;
  total.name = "total";
  total.value = [](const Container& c) -> ColumnValue { return c.cgroup_id; };
  total.sum = [](Container* sum, const Container& c) { sum->cgroup_id += c.cgroup_id; };
  ASSERT_TRUE(columns.Add(total).ok());
  std::vector<ContainerPtr> rows;
  for (const auto& [id, runtime, amount] : std::vector<std::tuple<std::string, std::string, int>>{
           {"1", "docker", 1}, {"2", "podman", 10}, {"3", "docker", 100}}) {
    Container c = *Row(id, runtime, "", 0);
    c.cgroup_id = amount;
    rows.push_back(std::make_shared<Container>(c));
  }
  const auto by_runtime = GroupRows(columns, {"runtime.runtimeName"}, rows);
  ASSERT_TRUE(by_runtime.ok());
  EXPECT_THAT(Ids(*by_runtime), ElementsAre("1", "2"));
  EXPECT_EQ((*by_runtime)[0]->cgroup_id, 101u);
  const auto everything = GroupRows(columns, {""}, rows);
  ASSERT_EQ(everything->size(), 1u);
  EXPECT_EQ((*everything)[0]->cgroup_id, 111u);
  EXPECT_EQ(rows[0]->cgroup_id, 1u) << "the rows given are as they were";
  EXPECT_FALSE(GroupRows(columns, {"nothing"}, rows).ok());
}

TEST(Columns, Text) {
  const Columns columns = GetColumns();
  const std::vector<ContainerPtr> rows = {Row("0123456789abcdef", "docker", "web", 12),
                                          Row("short", "podman", "", 0, true)};
  const auto chosen = columns.Choose("runtime.containerId,runtime.containerPid,hostNetwork");
  EXPECT_EQ(FormatText(*chosen, rows),
            "RUNTIME.CONT\xE2\x80\xA6 RUNTI\xE2\x80\xA6 HOSTNETWORK\n"
            "0123456789ab\xE2\x80\xA6 12     false\n"
            "short         0      true\n");
  TextOptions options;
  options.adjust_to_content = true;
  options.header = HeaderStyle::kNormal;
  options.divider = " | ";
  EXPECT_EQ(FormatText(*columns.Choose("runtime.containerId,runtime.containerName"), rows, options),
            "runtime.containerId | runtime.containerName\n"
            "0123456789abcdef    | web\n"
            "short               |\n");
  options.header = HeaderStyle::kNone;
  EXPECT_EQ(FormatText(*columns.Choose("runtime.containerName"), rows, options), "web\n\n");
}

TEST(Columns, ALineWidthIsSharedByWhatIsNotFixed) {
  const Columns columns = GetColumns();
  TextOptions options;
  options.header = HeaderStyle::kNone;
  options.line_width = 41;
  Container c;
  c.k8s.namespace_name = std::string(50, 'n');
  c.k8s.pod_name = "0123456789012345678901234567890123456789";
  EXPECT_EQ(FormatText(*columns.Choose("k8s.namespace,k8s.podName"),
                       {std::make_shared<Container>(c)}, options),
            std::string(19, 'n') +
                "\xE2\x80\xA6 0123456789\xE2\x80\xA6"
                "123456789\n");
}

TEST(Columns, HostileTextCannotDriveATerminal) {
  Container c;
  c.runtime.container_name = "a\x1b[31m\n\xE2\x80\xAE\xff\xC3\xA9";
  EXPECT_EQ(FormatText(*GetColumns().Choose("runtime.containerName"),
                       {std::make_shared<Container>(c)}, {.header = HeaderStyle::kNone}),
            "a\\x1b[31m\\n\\u202e\\xff\xC3\xA9\n");
}

TEST(Columns, ImagesAndTimesAreShownShort) {
  setenv("TZ", "UTC", 1);
  tzset();
  const Columns columns = GetColumns();
  Container c;
  c.runtime.container_image_name = "sha256:0123456789abcdef";
  c.runtime.container_started_at = 1700000000123456789;
  EXPECT_EQ(columns.Find("runtime.containerImageName")->text(c), "0123456789ab");
  EXPECT_THAT(columns.Find("runtime.containerStartedAt")->text(c), HasSubstr("20.123456789"));
  c.runtime.container_image_name = "nginx:1.25";
  c.runtime.container_started_at = 0;
  EXPECT_EQ(columns.Find("runtime.containerImageName")->text(c), "nginx:1.25");
  EXPECT_EQ(columns.Find("runtime.containerStartedAt")->text(c), "");
}

// A tracer's event: rows need not be containers.
struct Event {
  std::string comm;
  uint64_t bytes = 0;
  absl::Duration took;
};

BasicColumns<Event> EventColumns() {
  BasicColumns<Event> columns;
  BasicColumn<Event> comm;
  static_cast<ColumnStyle&>(comm) = *ColumnTemplate("comm");
  comm.name = "comm";
  comm.aliases = {"command"};
  comm.value = [](const Event& e) -> ColumnValue { return e.comm; };
  BasicColumn<Event> bytes;
  bytes.name = "bytes";
  bytes.alignment = Alignment::kRight;
  bytes.value = [](const Event& e) -> ColumnValue { return e.bytes; };
  bytes.sum = [](Event* sum, const Event& e) { sum->bytes += e.bytes; };
  BasicColumn<Event> took;
  took.name = "took";
  took.value = [](const Event& e) -> ColumnValue { return e.took; };
  for (const auto& column : {comm, bytes, took}) EXPECT_TRUE(columns.Add(column).ok());
  return columns;
}

TEST(Columns, RowsMayBeAnything) {
  const BasicColumns<Event> columns = EventColumns();
  Rows<Event> rows;
  for (const Event& e : {Event{"cat", 5, absl::Seconds(90)}, Event{"dd", 70, absl::Milliseconds(3)},
                         Event{"cat", 20, absl::Seconds(1)}}) {
    rows.push_back(std::make_shared<const Event>(e));
  }
  EXPECT_THAT(SortRows(columns, {"-took"}, &rows), IsEmpty());
  const auto slow = ParseColumnFilter(columns, "took:>=1s");
  ASSERT_TRUE(slow.ok()) << slow.status();
  const auto grouped = GroupRows(columns, {"command"}, FilterRows(rows, {*slow}));
  ASSERT_TRUE(grouped.ok()) << grouped.status();
  EXPECT_EQ(FormatText(columns.All(), *grouped, {.adjust_to_content = true}),
            "COMM BYTES TOOK\n"
            "cat     25 1m30s\n");
  EXPECT_THAT(std::string(ParseColumnFilter(columns, "took:<fast").status().message()),
              HasSubstr("offset 6: expected a duration"));
}

TEST(Columns, TemplatesAreThoseOfTheReference) {
  for (const char* kind : {"timestamp",
                           "node",
                           "namespace",
                           "pod",
                           "container",
                           "containerPid",
                           "containerImageName",
                           "containerImageDigest",
                           "containerImageID",
                           "containerStartedAt",
                           "comm",
                           "pid",
                           "uid",
                           "gid",
                           "ns",
                           "ipaddr",
                           "ipport",
                           "ipaddrport",
                           "ipversion",
                           "syscall"}) {
    auto style = ColumnTemplate(kind);
    ASSERT_TRUE(style.ok()) << style.status();
    style->name = kind;
    EXPECT_TRUE(CheckColumnStyle(*style).ok()) << kind;
  }
  EXPECT_EQ(ColumnTemplate("pod")->ellipsis, Ellipsis::kMiddle);
  EXPECT_EQ(ColumnTemplate("ipaddrport")->min_width, 22);
  EXPECT_TRUE(absl::IsNotFound(ColumnTemplate("nothing").status()));
}

TEST(Columns, Json) {
  EXPECT_EQ(FormatJson({}), "[]");
  EXPECT_EQ(FormatJson({Row("a", "", "x:,{\"", 0), nullptr, Row("b", "", "", 0)}),
            "[\n  {\n    \"runtime\": {\n      \"containerId\": \"a\",\n      \"containerName\": "
            "\"x:,{\\\"\"\n    },\n    \"k8s\": {}\n  },\n  {\n    \"runtime\": {\n      "
            "\"containerId\": \"b\"\n    },\n    \"k8s\": {}\n  }\n]");
}

}  // namespace
}  // namespace roster

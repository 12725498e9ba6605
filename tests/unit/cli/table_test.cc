#include "cli/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/columns.h"
#include "cli/flags.h"
#include "roster_abi.h"

namespace roster::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Entry MakeEntry(const std::string& runtime, const std::string& id, const std::string& name,
                uint32_t pid) {
  Entry entry;
  entry.container.runtime.runtime_name = runtime;
  entry.container.runtime.container_id = id;
  entry.container.runtime.container_name = name;
  entry.container.runtime.container_pid = pid;
  entry.container.runtime.container_started_at = absl::ToUnixNanos(absl::FromUnixSeconds(1000));
  entry.state = "running";
  return entry;
}

const absl::Time kNow = absl::FromUnixSeconds(1000 + 95);

std::vector<std::string> Names(const std::vector<Entry>& entries) {
  std::vector<std::string> names;
  for (const Entry& entry : entries) names.push_back(entry.container.runtime.container_name);
  return names;
}

TEST(Table, ColumnsAreAlignedAndNothingTrails) {
  Table table(*ParseColumns("runtime,id,name,pid,age,status"), {});
  EXPECT_EQ(table.Render({MakeEntry("docker", "0123456789abcdef", "web", 4711),
                          MakeEntry("runc", "x", "漢字", 1)},
                         kNow),
            "RUNTIME   ID             NAME    PID     AGE   STATUS\n"
            "docker    0123456789ab   web    4711   1m35s   running\n"
            "runc      x              漢字      1   1m35s   running\n");
}

TEST(Table, NobodyIsOnlyTheHeaderAndWithoutHeadersNothing) {
  EXPECT_EQ(Table(*ParseColumns("id,name"), {}).Render({}, kNow), "ID   NAME\n");
  EXPECT_EQ(Table(*ParseColumns("id,name"), {.headers = false}).Render({}, kNow), "");
}

TEST(Table, WhatIsUnknownIsADash) {
  Table table(*ParseColumns("runtime,image,pid,age,labels"), {.headers = false});
  EXPECT_EQ(table.Render({Entry{}}, kNow), "-   -   -   -   -\n");
}

TEST(Table, HostileNameStaysInItsCell) {
  Table table(*ParseColumns("name,pid"), {.headers = false});
  EXPECT_EQ(table.Render({MakeEntry("r", "i", "a\n\x1b[2Jb", 7)}, kNow), "a\\n\\x1b[2Jb   7\n");
}

TEST(Table, LongNameIsShortenedInTheNormalTableOnly) {
  const std::string name(100, 'n');
  EXPECT_THAT(Table(*ParseColumns("name"), {}).Render({MakeEntry("r", "i", name, 1)}, kNow),
              HasSubstr(std::string(39, 'n') + "…\n"));
  EXPECT_THAT(
      Table(*ParseColumns("name"), {.shorten = false}).Render({MakeEntry("r", "i", name, 1)}, kNow),
      HasSubstr(name + "\n"));
}

TEST(Table, LaterRowKeepsTheWidths) {
  Table table(*ParseColumns("name,pid"), {});
  table.Render({MakeEntry("r", "i", "longname", 4711)}, kNow);
  EXPECT_EQ(table.RenderRow(MakeEntry("r", "i", "x", 1), kNow), "x             1\n");
}

TEST(Columns, PodsAreNamedByNamespacePodAndContainer) {
  Entry entry = MakeEntry("containerd", "i", "k8s_nginx", 1);
  entry.container.k8s.namespace_name = "shop";
  entry.container.k8s.pod_name = "web-1";
  entry.container.k8s.container_name = "nginx";
  EXPECT_EQ(DisplayName(entry), "shop/web-1/nginx");
}

TEST(Columns, DigestInPlaceOfAnImageNameIsShown12Long) {
  Entry entry;
  entry.container.runtime.container_image_name = "sha256:0123456789abcdef0123";
  EXPECT_EQ((*ParseColumns("image"))[0]->text(entry, kNow), "0123456789ab");
}

TEST(Columns, ProvisionalContainerIsCalledSo) {
  Entry entry = MakeEntry("", "", "", 1);
  entry.flags = ROSTER_F_PROVISIONAL;
  EXPECT_EQ(DisplayStatus(entry), "provisional");
  entry.state = "exiting";
  EXPECT_EQ(DisplayStatus(entry), "exiting");
}

TEST(Columns, NamesAreTakenInAnyCaseAndTheReferencesNamesToo) {
  const auto columns = ParseColumns("Name, runtime.containerPid ,K8S.PODNAME");
  ASSERT_TRUE(columns.ok()) << columns.status();
  EXPECT_STREQ((*columns)[0]->name, "name");
  EXPECT_STREQ((*columns)[1]->name, "pid");
  EXPECT_STREQ((*columns)[2]->name, "pod");
}

TEST(Columns, UnknownNameIsNamedWithThoseThatAreKnown) {
  for (const char* text : {"name,nonsense", "", "name,,pid", "*"}) {
    const auto columns = ParseColumns(text);
    EXPECT_EQ(columns.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(columns.status().message()), HasSubstr("mntns"));
  }
  EXPECT_THAT(std::string(ParseColumns("name,nonsense").status().message()),
              HasSubstr("\"nonsense\""));
}

TEST(Sort, ByNumberNotByText) {
  std::vector<Entry> entries = {MakeEntry("a", "1", "x", 10), MakeEntry("a", "2", "y", 9),
                                MakeEntry("a", "3", "z", 100)};
  ASSERT_TRUE(SortEntries("pid", &entries).ok());
  EXPECT_THAT(Names(entries), ElementsAre("y", "x", "z"));
  ASSERT_TRUE(SortEntries("-pid", &entries).ok());
  EXPECT_THAT(Names(entries), ElementsAre("z", "x", "y"));
}

TEST(Sort, FirstKeyCountsMostAndEqualsKeepTheirOrder) {
  std::vector<Entry> entries = {MakeEntry("b", "1", "x", 1), MakeEntry("a", "2", "z", 1),
                                MakeEntry("a", "3", "y", 2), MakeEntry("b", "4", "w", 1)};
  ASSERT_TRUE(SortEntries("runtime,-pid", &entries).ok());
  EXPECT_THAT(Names(entries), ElementsAre("y", "z", "x", "w"));
}

TEST(Sort, ByAgeHasTheYoungestFirst) {
  std::vector<Entry> entries = {MakeEntry("a", "1", "old", 1), MakeEntry("a", "2", "young", 1)};
  entries[1].container.runtime.container_started_at += 5'000'000'000;
  ASSERT_TRUE(SortEntries("age", &entries).ok());
  EXPECT_THAT(Names(entries), ElementsAre("young", "old"));
  EXPECT_EQ(SortEntries("nonsense", &entries).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace roster::cli

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

const EntryColumns& AsOfNow() {
  static const EntryColumns& columns = *new EntryColumns(MakeEntryColumns([] { return kNow; }));
  return columns;
}

std::string Render(std::string_view columns, TableStyle style, const std::vector<Entry>& entries) {
  return EntryTable(*AsOfNow().Choose(columns), style).Render(entries);
}

std::vector<std::string> Names(const std::vector<Entry>& entries) {
  std::vector<std::string> names;
  for (const Entry& entry : entries) names.push_back(entry.container.runtime.container_name);
  return names;
}

TEST(Table, ColumnsAreAlignedAndNothingTrails) {
  EXPECT_EQ(Render("runtime,id,name,pid,age,status", {},
                   {MakeEntry("docker", "0123456789abcdef", "web", 4711),
                    MakeEntry("runc", "x", "漢字", 1)}),
            "RUNTIME   ID             NAME    PID     AGE   STATUS\n"
            "docker    0123456789ab   web    4711   1m35s   running\n"
            "runc      x              漢字      1   1m35s   running\n");
}

TEST(Table, NobodyIsOnlyTheHeaderAndWithoutHeadersNothing) {
  EXPECT_EQ(Render("id,name", {}, {}), "ID   NAME\n");
  EXPECT_EQ(Render("id,name", {.headers = false}, {}), "");
}

TEST(Table, WhatIsUnknownIsADash) {
  EXPECT_EQ(Render("runtime,image,pid,age,labels,started", {.headers = false}, {Entry{}}),
            "-   -   -   -   -   -\n");
}

TEST(Table, HostileNameStaysInItsCell) {
  EXPECT_EQ(Render("name,pid", {.headers = false}, {MakeEntry("r", "i", "a\n\x1b[2Jb", 7)}),
            "a\\n\\x1b[2Jb   7\n");
}

TEST(Table, LongNameIsShortenedInTheNormalTableOnly) {
  const std::string name(100, 'n');
  EXPECT_THAT(Render("name", {}, {MakeEntry("r", "i", name, 1)}),
              HasSubstr(std::string(39, 'n') + "…\n"));
  EXPECT_THAT(Render("name", {.shorten = false}, {MakeEntry("r", "i", name, 1)}),
              HasSubstr(name + "\n"));
}

TEST(Table, LaterRowKeepsTheWidths) {
  EntryTable table(*ParseColumns("name,pid"), {});
  table.Render({MakeEntry("r", "i", "longname", 4711)});
  EXPECT_EQ(table.Row(MakeEntry("r", "i", "x", 1)), "x             1\n");
  EXPECT_EQ(table.Row(MakeEntry("r", "i", "longername", 1)), "longername      1\n");
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
  EXPECT_EQ((*ParseColumns("image"))[0]->CellText(entry), "0123456789ab");
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
  EXPECT_EQ((*columns)[0]->name, "name");
  EXPECT_EQ((*columns)[1]->name, "pid");
  EXPECT_EQ((*columns)[2]->name, "pod");
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

TEST(Filter, ByAgeStateAndName) {
  std::vector<Entry> entries = {MakeEntry("docker", "1", "web", 1),
                                MakeEntry("runc", "2", "api", 0)};
  entries[1].state = "exiting";
  const auto passing = [&](const std::vector<std::string>& filters) {
    std::vector<std::string> names;
    for (const Entry& entry : entries) {
      if (PassesAll(entry, *ParseFilters(filters)))
        names.push_back(entry.container.runtime.container_name);
    }
    return names;
  };
  EXPECT_THAT(passing({"age:>1m"}), ElementsAre("web", "api"));  // since 1970
  EXPECT_THAT(passing({"age:<1m"}), ElementsAre());
  EXPECT_THAT(passing({"status:running"}), ElementsAre("web"));
  EXPECT_THAT(passing({"runtime.containerName:~^a"}), ElementsAre("api"));
  EXPECT_THAT(passing({"pid", "name:api"}), ElementsAre("api"));
  EXPECT_THAT(passing({"pid:1", "name:api"}), ElementsAre());
}

TEST(Filter, FaultIsShownWithItsPlace) {
  EXPECT_THAT(std::string(ParseFilters({"age:>soon"}).status().message()),
              HasSubstr("offset 5: expected a duration"));
  EXPECT_THAT(std::string(ParseFilters({"nonsense:1"}).status().message()), HasSubstr("nonsense"));
}

}  // namespace
}  // namespace roster::cli

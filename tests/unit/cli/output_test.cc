#include "cli/output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "cli/entries.h"
#include "roster/json.h"
#include "roster_abi.h"

namespace roster::cli {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::ordered_json;

Entry MakeEntry(const std::string& id) {
  Entry entry;
  entry.container.runtime.runtime_name = "docker";
  entry.container.runtime.container_id = id;
  entry.container.runtime.container_name = "we\"b\n";
  entry.container.k8s.pod_labels = {{"app", "<web>"}};
  entry.container.mntns = 4026532000;
  entry.container.handle = 77;
  entry.state = "running";
  entry.flags = ROSTER_F_NESTED | ROSTER_F_HOST_PID;
  return entry;
}

TEST(Output, JsonIsTheReferencesPlusOneObjectOfOurs) {
  const Entry entry = MakeEntry("4f3a");
  Json json = Json::parse(EntryJson(entry), nullptr, false);
  ASSERT_TRUE(json.is_object());
  EXPECT_EQ(json["roster"]["handle"], 77);
  EXPECT_EQ(json["roster"]["state"], "running");
  EXPECT_EQ(json["roster"]["flags"], Json::array({"host-pid", "nested"}));
  json.erase("roster");
  EXPECT_EQ(json, Json::parse(ToJson(entry.container)));
}

TEST(Output, EventIsOneLineWithTheReferencesKeys) {
  const std::string line = EventJson("CREATED", absl::FromUnixSeconds(0), MakeEntry("4f3a"));
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const Json json = Json::parse(line, nullptr, false);
  ASSERT_TRUE(json.is_object()) << line;
  EXPECT_EQ(json["event"], "CREATED");
  EXPECT_EQ(json["container"]["runtime"]["containerId"], "4f3a");
  EXPECT_TRUE(PubSubEventFromJson(line).ok());
}

// A terminal obeys DEL, C1 controls and characters that reorder text also within JSON.
TEST(Output, NoJsonHasWhatATerminalWouldObey) {
  const std::string hostile =
      "a\x7f\xc2\x9b"
      "31m\xe2\x80\xae"
      "b\xe2\x80\x8b\xf3\xa0\x80\x81\x1b[c";
  Entry entry = MakeEntry("4f3a");
  entry.container.runtime.container_name = hostile;
  for (const std::string& text :
       {EntryJson(entry), EntryJsonPretty(entry), EntriesJson({entry}), EntryYaml(entry),
        EventJson("CREATED", absl::FromUnixSeconds(0), entry)}) {
    for (const char* bad :
         {"\x7f", "\xc2\x9b", "\xe2\x80\xae", "\xe2\x80\x8b", "\xf3\xa0\x80\x81", "\x1b"})
      EXPECT_EQ(text.find(bad), std::string::npos) << text;
  }
  // It says the same.
  EXPECT_EQ(Json::parse(EntryJson(entry), nullptr, false)["runtime"]["containerName"], hostile);
}

TEST(Output, ListOfNobodyIsAnEmptyList) {
  EXPECT_EQ(EntriesJson({}), "[]\n");
  EXPECT_EQ(EntriesYaml({}), "[]\n");
}

TEST(Output, YamlNestsListsAndObjects) {
  const Json json = {{"a", {{"b", "text"}, {"n", 1}}},
                     {"l", {1, {{"x", 1}, {"y", 2}}}},
                     {"e", Json::array()},
                     {"o", Json::object()}};
  EXPECT_EQ(ToYaml(json), "a:\n  b: text\n  \"n\": 1\nl:\n- 1\n- x: 1\n  \"y\": 2\ne: []\no: {}\n");
}

TEST(Output, YamlQuotesWhatAReaderWouldTakeForSomethingElse) {
  for (const char* text :
       {"",     "yes", "No",   "null",       "true", "1",  "1.5", "-a", "a: b", "a #b", "é",
        "a\nb", "~",   "0x1f", "2024-01-01", "*",    "&a", "!t",  ".5", "y",    "off"}) {
    const std::string yaml = ToYaml(Json{{"k", text}});
    EXPECT_THAT(yaml, ::testing::StartsWith("k: \"")) << text;
  }
  EXPECT_EQ(ToYaml(Json{{"k", "docker.io/library/busybox-1"}}), "k: docker.io/library/busybox-1\n");
}

TEST(Output, MemberOfThePinsBecomesAnEntry) {
  Member member;
  member.handle = 77;
  member.membership.state = ROSTER_BOUND;
  member.membership.flags = ROSTER_F_HOST_NETWORK;
  member.membership.init_pid = 4711;
  member.membership.mntns = 5;
  strcpy(member.record.id, "4f3a");
  strcpy(member.record.runtime, "podman");
  memcpy(member.record.labels, "a=1\0b=x=y\0noequals\0", 19);
  const Entry entry = EntryFromMember(member);
  EXPECT_EQ(entry.container.runtime.container_id, "4f3a");
  EXPECT_EQ(entry.container.runtime.container_pid, 4711u);
  EXPECT_TRUE(entry.container.host_network);
  EXPECT_THAT(entry.container.k8s.pod_labels,
              ::testing::ElementsAre(::testing::Pair("a", "1"), ::testing::Pair("b", "x=y")));
  EXPECT_EQ(entry.state, "running");
}

TEST(Output, LabelsThatFillTheRecordEndWithIt) {
  Member member;
  memset(member.record.labels, 'x', sizeof(member.record.labels));
  member.record.labels[1] = '=';
  member.record.labels[sizeof(member.record.labels) - 1] = '\0';
  EXPECT_EQ(EntryFromMember(member).container.k8s.pod_labels.size(), 1u);
}

TEST(Output, PodsAndJoinsAreNoContainers) {
  Member member;
  member.membership.state = ROSTER_BOUND;
  EXPECT_TRUE(IsListed(member));
  for (const uint32_t flag : {ROSTER_F_POD, ROSTER_F_JOIN, ROSTER_F_SANDBOX}) {
    member.membership.flags = flag;
    EXPECT_FALSE(IsListed(member)) << flag;
  }
}

TEST(PickByIdPrefix, NoneOneAndSeveral) {
  const std::vector<Entry> entries = {MakeEntry("abc1"), MakeEntry("abd2"), MakeEntry("abd2345")};
  EXPECT_EQ(PickByIdPrefix(entries, "abc")->container.runtime.container_id, "abc1");
  // A whole id is meant, although another begins with it.
  EXPECT_EQ(PickByIdPrefix(entries, "abd2")->container.runtime.container_id, "abd2");
  const auto none = PickByIdPrefix(entries, "zz");
  EXPECT_EQ(none.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(none.status().message()), HasSubstr("\"zz\""));
  const auto several = PickByIdPrefix(entries, "ab");
  EXPECT_EQ(several.status().code(), absl::StatusCode::kFailedPrecondition);
  for (const char* id : {"abc1", "abd2", "abd2345"})
    EXPECT_THAT(std::string(several.status().message()), HasSubstr(id));
  EXPECT_EQ(PickByIdPrefix(entries, "").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(PickByIdPrefix, ManyCandidatesAreCounted) {
  std::vector<Entry> entries;
  for (int i = 0; i < 30; ++i) entries.push_back(MakeEntry("a" + std::to_string(100 + i)));
  EXPECT_THAT(std::string(PickByIdPrefix(entries, "a").status().message()),
              HasSubstr("and 20 more"));
}

}  // namespace
}  // namespace roster::cli

#include "runtime/oci_spec.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace roster {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

OciSpec Parsed(std::string_view text) {
  const absl::StatusOr<OciSpec> spec = ParseOciSpec(text);
  EXPECT_TRUE(spec.ok()) << spec.status();
  return spec.ok() ? *spec : OciSpec{};
}

TEST(OciSpec, EveryMemberIsRead) {
  const OciSpec spec = Parsed(R"({
    "ociVersion": "1.0.2", "hostname": "web",
    "process": {"terminal": false, "args": ["sleep", "10"], "user": {"uid": 0, "args": [1]}},
    "root": {"path": "rootfs", "readonly": true},
    "mounts": [{"destination": "/proc", "type": "proc", "source": "proc", "options": ["ro"]}, {}],
    "annotations": {"a": "1", "b.c/d": ""},
    "linux": {"cgroupsPath": "/x/y", "resources": {"namespaces": 5},
              "namespaces": [{"type": "pid"}, {"type": "network", "path": "/run/netns/n"}]}
  })");
  EXPECT_EQ(spec.hostname, "web");
  EXPECT_EQ(spec.cgroups_path, "/x/y");
  EXPECT_EQ(spec.rootfs, "rootfs");
  EXPECT_THAT(spec.args, ElementsAre("sleep", "10"));
  EXPECT_THAT(spec.mounts, ElementsAre(Pair("proc", "/proc"), Pair("", "")));
  EXPECT_THAT(spec.annotations, ElementsAre(Pair("a", "1"), Pair("b.c/d", "")));
  EXPECT_TRUE(spec.HasNamespace("pid"));
  EXPECT_FALSE(spec.HasNamespace("mount"));
  EXPECT_EQ(spec.NamespacePath("network"), "/run/netns/n");
  EXPECT_EQ(spec.NamespacePath("pid"), "");
  EXPECT_EQ(spec.Annotation("a"), "1");
  EXPECT_EQ(spec.Annotation("z"), "");
}

TEST(OciSpec, AbsentAndNullMembersAreEmpty) {
  EXPECT_EQ(Parsed("{}"), OciSpec());
  EXPECT_EQ(
      Parsed(
          R"({"hostname":null,"annotations":null,"linux":null,"mounts":null,"root":null,"process":null})"),
      OciSpec());
  EXPECT_EQ(
      Parsed(
          R"({"linux":{"namespaces":null,"cgroupsPath":null},"process":{"args":null},"root":{"path":null}})"),
      OciSpec());
  EXPECT_THAT(Parsed(R"({"annotations":{"a":null,"b":"x"}})").annotations,
              ElementsAre(Pair("b", "x")));
}

TEST(OciSpec, UnknownMembersOfAnyTypeAreSteppedOver) {
  EXPECT_EQ(
      Parsed(
          R"({"x":[1,{"hostname":5,"linux":[]}],"y":{"annotations":[1]},"z":1e9,"w":true,"hostname":"h"})")
          .hostname,
      "h");
}

TEST(OciSpec, NamesInsideWhatIsSteppedOverDoNotCount) {
  const OciSpec spec = Parsed(R"({"hooks":{"hostname":"evil","linux":{"cgroupsPath":"/evil"}},
                                  "linux":{"hostname":"evil","seccomp":{"cgroupsPath":"/evil"}}})");
  EXPECT_EQ(spec, OciSpec());
}

TEST(OciSpec, AMemberGivenTwiceCountsTheLastTime) {
  const OciSpec spec =
      Parsed(R"({"hostname":"a","hostname":"b","process":{"args":["x"],"args":["y","z"]}})");
  EXPECT_EQ(spec.hostname, "b");
  EXPECT_THAT(spec.args, ElementsAre("y", "z"));
}

TEST(OciSpec, AWrongTypeIsAnErrorThatNamesTheMember) {
  const std::pair<const char*, const char*> cases[] = {
      {R"([])", "the top is an array, not an object"},
      {R"("x")", "the top is a string, not an object"},
      {R"(7)", "the top is a number, not an object"},
      {R"({"hostname":7})", "hostname is a number, not a string"},
      {R"({"hostname":["x"]})", "hostname is an array, not a string"},
      {R"({"annotations":[]})", "annotations is an array, not an object"},
      {R"({"annotations":{"a":1}})", "annotations[\"a\"] is a number, not a string"},
      {R"({"annotations":{"a\u001b":{}}})", "annotations[\"a\\x1b\"] is an object, not a string"},
      {R"({"linux":"x"})", "linux is a string, not an object"},
      {R"({"linux":{"cgroupsPath":false}})", "linux.cgroupsPath is a boolean, not a string"},
      {R"({"linux":{"namespaces":{}}})", "linux.namespaces is an object, not an array"},
      {R"({"linux":{"namespaces":[{"type":"pid"},{},{"type":3}]}})",
       "linux.namespaces[2].type is a number, not a string"},
      {R"({"linux":{"namespaces":["pid"]}})", "linux.namespaces[0] is a string, not an object"},
      {R"({"mounts":[{"source":"a"},{"destination":1.5}]})",
       "mounts[1].destination is a number, not a string"},
      {R"({"root":{"path":{}}})", "root.path is an object, not a string"},
      {R"({"process":{"args":["a",["b"]]}})", "process.args[1] is an array, not a string"},
      {R"({"process":{"args":"sleep 10"}})", "process.args is a string, not an array"},
  };
  for (const auto& [text, message] : cases) {
    const absl::Status status = ParseOciSpec(text).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << text;
    EXPECT_EQ(status.message(), message);
  }
}

TEST(OciSpec, TextThatIsNoJsonIsAnErrorWithItsPlace) {
  for (const char* text :
       {"", " ", "{", "{\"hostname\":\"x\"", "{\"hostname\":\"x", "nonsense", "{}{}", "{'a':1}",
        "{\"a\":1,}", "{\"hostname\":\"\\ud800\"}", "\x7f\x45LF"}) {
    const absl::Status status = ParseOciSpec(text).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr("no JSON at byte"));
  }
  EXPECT_FALSE(ParseOciSpec(std::string_view("{}\0", 3)).ok());
}

TEST(OciSpec, DeepNestingIsRefusedWithoutUsingTheStack) {
  const std::string array(1'000'000, '[');
  std::string object = "{\"a\":";
  for (int i = 0; i < 200'000; ++i) object += "{\"a\":";
  for (const std::string& text :
       {absl::StrCat("{\"x\":", array), object, absl::StrCat("{\"annotations\":", object)}) {
    const absl::Status status = ParseOciSpec(text).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status));
  }
  EXPECT_THAT(std::string(ParseOciSpec(absl::StrCat("{\"x\":", array)).status().message()),
              HasSubstr("deeper than 128 levels"));
}

TEST(OciSpec, NestingUpToTheLimitIsFine) {
  const auto nested = [](size_t levels) {
    return absl::StrCat("{\"x\":", std::string(levels - 1, '['), std::string(levels - 1, ']'), "}");
  };
  EXPECT_TRUE(ParseOciSpec(nested(kMaxConfigDepth)).ok());
  EXPECT_FALSE(ParseOciSpec(nested(kMaxConfigDepth + 1)).ok());
}

TEST(OciSpec, TooManyEntriesAreRefused) {
  const auto args = [](size_t count) {
    std::string text = "{\"process\":{\"args\":[\"\"";
    for (size_t i = 1; i < count; ++i) text += ",\"\"";
    return text + "]}}";
  };
  EXPECT_TRUE(ParseOciSpec(args(kMaxConfigEntries)).ok());
  EXPECT_THAT(std::string(ParseOciSpec(args(kMaxConfigEntries + 1)).status().message()),
              HasSubstr("more than 65536 entries"));
}

TEST(OciSpec, ALargeTextOfWhatIsNotReadIsFine) {
  std::string text = "{\"hostname\":\"h\",\"x\":[0";
  while (text.size() < (15u << 20)) text += ",{\"a\":[1,2,3]}";
  EXPECT_EQ(Parsed(text + "]}").hostname, "h");
}

TEST(OciSpec, BytesThatAreNoUtf8BecomeTheReplacementCharacter) {
  EXPECT_EQ(Parsed("{\"hostname\":\"a\xff"
                   "b\"}")
                .hostname,
            "a\xef\xbf\xbd"
            "b");
}

}  // namespace
}  // namespace roster

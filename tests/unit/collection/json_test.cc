#include "roster/json.h"

#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace roster {
namespace {

using ::testing::HasSubstr;

Container Full() {
  Container c;
  c.runtime = {"docker", "id", "name", 42, "img", "imgid", "imgdigest", 1700000000123456789};
  c.k8s = {"ns", "pod", {{"b", "2"}, {"a", "1"}}, "cname", "uid", nullptr};
  c.oci_config = "{\"ociVersion\":\"1.0\"}";
  c.bundle = "/b";
  c.sandbox_id = "sb";
  c.mntns = 4026531840;
  c.netns = 18446744073709551615ULL;
  c.host_network = true;
  c.cgroup_path = "/sys/fs/cgroup/x";
  c.cgroup_id = 7;
  c.cgroup_v1 = "/v1";
  c.cgroup_v2 = "/v2";
  return c;
}

TEST(Json, AContainerIsWrittenInTheOrderOfTheReferencesStruct) {
  EXPECT_EQ(
      ToJson(Full()),
      R"({"runtime":{"runtimeName":"docker","containerId":"id","containerName":"name","containerPid":42,)"
      R"("containerImageName":"img","containerImageId":"imgid","containerImageDigest":"imgdigest",)"
      R"("containerStartedAt":1700000000123456789},)"
      R"("k8s":{"namespace":"ns","podName":"pod","podLabels":{"a":"1","b":"2"},"containerName":"cname",)"
      R"("podUID":"uid"},"ociConfig":"{\"ociVersion\":\"1.0\"}","bundle":"/b","sandboxId":"sb",)"
      R"("mntns":4026531840,"netns":18446744073709551615,"hostNetwork":true,)"
      R"("cgroupPath":"/sys/fs/cgroup/x","cgroupID":7,"cgroupV1":"/v1","cgroupV2":"/v2"})");
}

TEST(Json, EmptyValuesAreLeftOutButNotTheTwoStructs) {
  EXPECT_EQ(ToJson(Container()), R"({"runtime":{},"k8s":{}})");
}

TEST(Json, TheInternalsAreNotWritten) {
  Container c;
  c.handle = 1;
  c.oci_runtime = "runc";
  c.k8s.owner = std::make_shared<OwnerReference>();
  EXPECT_EQ(ToJson(c), R"({"runtime":{},"k8s":{}})");
}

TEST(Json, EscapesAsGoDoes) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"<>&", "\\u003c\\u003e\\u0026"},
      {"\"\\/", "\\\"\\\\/"},
      {"\b\f\n\r\t", "\\b\\f\\n\\r\\t"},
      {std::string("\0\x1f", 2), "\\u0000\\u001f"},
      {"\x7f", "\x7f"},
      {"\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xAA", "\\u2028\\u2029\xE2\x80\xAA"},
      {"\xC3\xA9\xF0\x9F\x98\x80", "\xC3\xA9\xF0\x9F\x98\x80"},
      {"\xff\xfe", "\\ufffd\\ufffd"},
      {"\xC3(", "\\ufffd("},
      {"\xE2\x80", "\\ufffd\\ufffd"},
      {"\xED\xA0\x80", "\\ufffd\\ufffd\\ufffd"},  // a surrogate
      {"\xC0\x80", "\\ufffd\\ufffd"},             // overlong
      {"\xF4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"},
  };
  for (const auto& [text, json] : table) {
    std::string out;
    AppendJsonString(text, &out);
    EXPECT_EQ(out, "\"" + json + "\"");
  }
}

TEST(Json, WhatIsWrittenIsReadBack) {
  const auto read = ContainerFromJson(ToJson(Full()));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, Full());
  Container odd;
  odd.bundle = "<\xE2\x80\xA8\n\"\\>";
  EXPECT_EQ(*ContainerFromJson(ToJson(odd)), odd);
}

TEST(Json, ReadsLeniently) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {R"({})", R"({"runtime":{},"k8s":{}})"},
      {R"({"RUNTIME":{"containerid":"x"},"unknown":[1,{}]})",
       R"({"runtime":{"containerId":"x"},"k8s":{}})"},
      {R"({"k8s":{"podlabels":"a=1,b=2"}})",
       R"({"runtime":{},"k8s":{"podLabels":{"a":"1","b":"2"}}})"},
      {R"({"k8s":{"podLabels":{"a":"1"}}})", R"({"runtime":{},"k8s":{"podLabels":{"a":"1"}}})"},
      {R"({"k8s":{"podLabels":""}})", R"({"runtime":{},"k8s":{}})"},
      {R"({"k8s":{"podLabels":{}}})", R"({"runtime":{},"k8s":{}})"},
      {R"({"k8s":{"podLabels":null},"mntns":null,"runtime":null})", R"({"runtime":{},"k8s":{}})"},
      {R"({"pid":7})", R"({"runtime":{"containerPid":7},"k8s":{}})"},
      {R"({"pid":7,"runtime":{"containerPid":8}})", R"({"runtime":{"containerPid":8},"k8s":{}})"},
      {R"({"mntns":1,"MNTNS":2})", R"({"runtime":{},"k8s":{},"mntns":2})"},
      {R"({"runtime":{"containerStartedAt":-5}})",
       R"({"runtime":{"containerStartedAt":-5},"k8s":{}})"},
  };
  for (const auto& [text, wanted] : table) {
    const auto read = ContainerFromJson(text);
    ASSERT_TRUE(read.ok()) << text << read.status();
    EXPECT_EQ(ToJson(*read), wanted) << text;
  }
}

TEST(Json, WrongTypesAreErrorsThatNameTheKey) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"", "is not JSON"},
      {"[", "is not JSON"},
      {"{\"a\":\"\xff\"}", "is not JSON"},
      {"[]", "is not an object"},
      {"1", "is not an object"},
      {R"({"runtime":[]})", "runtime: is not an object"},
      {R"({"runtime":{"containerName":1}})", "runtime.containerName: is not a string"},
      {R"({"mntns":"1"})", "mntns: is not a whole number"},
      {R"({"mntns":-1})", "mntns: is not a whole number"},
      {R"({"mntns":1.5})", "mntns: is not a whole number"},
      {R"({"mntns":18446744073709551616})", "mntns: is not a whole number"},
      {R"({"pid":4294967296})", "pid: is not a whole number that fits in 32"},
      {R"({"hostNetwork":1})", "hostNetwork: is not a boolean"},
      {R"({"k8s":{"podLabels":"a"}})", "k8s.podLabels: is not \"key=value"},
      {R"({"k8s":{"podLabels":"a=1,,b=2"}})", "k8s.podLabels"},
      {R"({"k8s":{"podLabels":{"a":1}}})", "k8s.podLabels: is not an object of strings"},
      {R"({"k8s":{"podLabels":[]}})", "k8s.podLabels: is not an object of strings"},
      {R"({"ociConfig":{}})", "ociConfig: is not a string"},
  };
  for (const auto& [text, wanted] : table) {
    const auto read = ContainerFromJson(text);
    EXPECT_TRUE(absl::IsInvalidArgument(read.status())) << text;
    EXPECT_THAT(std::string(read.status().message()), HasSubstr(wanted)) << text;
  }
}

TEST(Json, DeepNestingDoesNotExhaustTheStack) {
  EXPECT_FALSE(ContainerFromJson(std::string(1 << 20, '[')).ok());
  std::string deep = "{\"unknown\":" + std::string(100000, '[') + std::string(100000, ']') + "}";
  EXPECT_TRUE(ContainerFromJson(deep).ok());
}

TEST(Json, K8sMetadataAlone) {
  const auto read = K8sMetadataFromJson(R"({"namespace":"n","podLabels":"a=b=c"})");
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->pod_labels.find("a")->second, "b=c");
  EXPECT_EQ(ToJson(*read), R"({"namespace":"n","podLabels":{"a":"b=c"}})");
}

TEST(Json, EventsHaveTheLocalTimeAndTheTypesText) {
  setenv("TZ", "UTC", 1);
  tzset();
  PubSubEvent event;
  event.type = EventType::kPreCreate;
  event.timestamp = absl::FromUnixSeconds(1700000000);
  event.container = std::make_shared<Container>();
  const std::string json = ToJson(event);
  EXPECT_THAT(json, HasSubstr(R"(","event":"PRECREATE","container":{"runtime":{},"k8s":{}}})"));
  const auto read = PubSubEventFromJson(json);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->type, event.type);
  EXPECT_EQ(read->timestamp, event.timestamp);
  // Of a reference event that was marshalled by value.
  EXPECT_EQ(PubSubEventFromJson(R"({"event":1,"container":{}})")->type, EventType::kDeleted);
  EXPECT_FALSE(PubSubEventFromJson(R"({"event":9})").ok());
  EXPECT_FALSE(PubSubEventFromJson(R"({"timestamp":"yesterday"})").ok());
}

TEST(Json, OciSpecIsParsedOnDemand) {
  EXPECT_EQ((*OciSpec(Full()))["ociVersion"], "1.0");
  EXPECT_TRUE(absl::IsNotFound(OciSpec(Container()).status()));
  Container bad;
  for (const char* text : {"{", "[]", "\"x\""}) {
    bad.oci_config = text;
    EXPECT_TRUE(absl::IsInvalidArgument(OciSpec(bad).status()));
  }
}

}  // namespace
}  // namespace roster

// What of an engine's answer reaches a container.
#include "enrich/engine_client.h"

#include "enrich/ask_engine.h"
#include "enrich/containerd_image.h"
#include "enrich/containerd_wire.h"
#include "enrich/cri_info.h"
#include "enrich/json_fields.h"
#include "enrich/unix_http.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace roster {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

EngineContainer Full() {
  return {.id = "id",
          .name = "name",
          .state = EngineState::kRunning,
          .pid = 7,
          .image_name = "image",
          .image_id = "image-id",
          .image_digest = "digest",
          .started_at = 9,
          .k8s_namespace = "ns",
          .k8s_pod_name = "pod",
          .k8s_pod_uid = "uid",
          .k8s_container_name = "c",
          .sandbox = "sandbox"};
}

TEST(MergeEngineContainer, FillsAnEmptyContainerAndThenChangesNothing) {
  Container container;
  EXPECT_TRUE(MergeEngineContainer("docker", Full(), &container));
  EXPECT_EQ(container.runtime.runtime_name, "docker");
  EXPECT_EQ(container.runtime.container_id, "id");
  EXPECT_EQ(container.runtime.container_name, "name");
  EXPECT_EQ(container.runtime.container_pid, 7u);
  EXPECT_EQ(container.runtime.container_image_name, "image");
  EXPECT_EQ(container.runtime.container_image_id, "image-id");
  EXPECT_EQ(container.runtime.container_image_digest, "digest");
  EXPECT_EQ(container.runtime.container_started_at, 9);
  EXPECT_EQ(container.k8s.namespace_name, "ns");
  EXPECT_EQ(container.k8s.pod_name, "pod");
  EXPECT_EQ(container.k8s.pod_uid, "uid");
  EXPECT_EQ(container.k8s.container_name, "c");
  EXPECT_EQ(container.sandbox_id, "sandbox");
  EngineContainer other = Full();
  other.name = "other";
  other.pid = 8;
  const Container before = container;
  EXPECT_FALSE(MergeEngineContainer("podman", other, &container));
  EXPECT_EQ(container, before);
}

TEST(MergeEngineContainer, UnknownRuntimeIsNoName) {
  Container container;
  container.runtime.runtime_name = "unknown";
  EXPECT_TRUE(MergeEngineContainer("podman", {}, &container));
  EXPECT_EQ(container.runtime.runtime_name, "podman");
}

TEST(MergeEngineContainer, BytesThatAreNoUtf8AreReplaced) {
  Container container;
  MergeEngineContainer("docker", {.name = "a\xff"}, &container);
  EXPECT_EQ(container.runtime.container_name, "a\xef\xbf\xbd");
}

// Answers at once, and tells by when it was to.
class NotingEngine : public EngineClient {
 public:
  NotingEngine() : EngineClient(absl::Seconds(2)) {}
  std::string Name() const override { return "cri-o"; }
  const std::vector<absl::Time>& deadlines() const { return deadlines_; }

 private:
  absl::StatusOr<std::vector<EngineContainer>> DoList(absl::Time) override {
    return std::vector<EngineContainer>();
  }
  absl::StatusOr<EngineContainer> DoGet(std::string_view, absl::Time deadline) override {
    deadlines_.push_back(deadline);
    return Full();
  }
  absl::StatusOr<EngineContainer> DoDetails(std::string_view, absl::Time) override {
    return Full();
  }
  absl::StatusOr<std::map<std::string, std::string>> DoPodLabels(std::string_view,
                                                                 absl::Time deadline) override {
    deadlines_.push_back(deadline);
    return std::map<std::string, std::string>{{"app", "web"}};
  }

  std::vector<absl::Time> deadlines_;
};

TEST(AskEngine, AsksForContainerAndPodByTheSameTime) {
  NotingEngine engine;
  Container container;
  container.runtime.container_id = "id";
  EXPECT_TRUE(AskEngine(&engine, &container).status.ok());
  EXPECT_THAT(container.k8s.pod_labels, ElementsAre(Pair("app", "web")));
  ASSERT_EQ(engine.deadlines().size(), 2u);
  EXPECT_EQ(engine.deadlines()[0], engine.deadlines()[1]);
}

TEST(K8sLabels, AreTakenAndLeftOutOfThePods) {
  EngineContainer container;
  container.labels = {{"io.kubernetes.pod.name", "p"}, {"app", "web"}};
  FillK8sFromLabels(&container);
  EXPECT_EQ(container.k8s_pod_name, "p");
  EXPECT_EQ(container.k8s_pod_uid, "");
  EXPECT_THAT(WithoutK8sLabels(container.labels), ElementsAre(Pair("app", "web")));
}

struct CriInfoCase {
  std::string name;
  std::map<std::string, std::string> info;
  bool ok = true;
  uint32_t pid = 0;
  std::string cgroup = "";
};

TEST(CriInfo, BothFormsAreReadAndAPidIsNeeded) {
  const std::string spec =
      R"({"linux":{"cgroupsPath":"/k/p"},"mounts":[{"source":"/a","destination":"/b"}]})";
  const CriInfoCase cases[] = {
      {"new", {{"info", R"({"pid":12,"runtimeSpec":)" + spec + "}"}}, true, 12, "/k/p"},
      {"new, spec null", {{"info", R"({"pid":12,"runtimeSpec":null})"}}, true, 12},
      {"new, spec without linux", {{"info", R"({"pid":12,"runtimeSpec":{}})"}}, true, 12},
      {"new, no pid", {{"info", "{}"}}, false},
      {"new, pid 0", {{"info", R"({"pid":0})"}}, false},
      {"new, negative", {{"info", R"({"pid":-4})"}}, false},
      {"new, text", {{"info", R"({"pid":"12"})"}}, false},
      {"new, fraction", {{"info", R"({"pid":1.5})"}}, false},
      {"new, no JSON", {{"info", "pid 12"}}, false},
      {"old", {{"pid", "12"}, {"runtimeSpec", spec}}, true, 12, "/k/p"},
      {"old, no spec", {{"pid", "12"}}, true, 12},
      {"old, bad spec", {{"pid", "12"}, {"runtimeSpec", "{"}}, false, 12},
      {"old, negative", {{"pid", "-12"}}, false},
      {"old, no number", {{"pid", "twelve"}}, false},
      {"nothing", {}, false},
  };
  for (const CriInfoCase& c : cases) {
    EngineContainer container;
    const absl::Status status = FillFromCriInfo(c.info, &container);
    EXPECT_EQ(status.ok(), c.ok) << c.name << ": " << status;
    EXPECT_EQ(container.pid, c.pid) << c.name;
    EXPECT_EQ(container.cgroup_path, c.cgroup) << c.name;
  }
}

TEST(ContainerdProcess, APidThatNoProcessCanHaveIsUnknown) {
  containerd::services::tasks::v1::Process process;
  process.set_status(containerd::services::tasks::v1::RUNNING);
  for (const uint32_t pid : {4194304u, 4194305u, 4294967295u}) {
    process.set_pid(pid);
    EngineContainer container;
    AddContainerdProcess(process, &container);
    EXPECT_EQ(container.pid, pid == 4194304u ? pid : 0u);
    EXPECT_EQ(container.state, EngineState::kRunning);
  }
}

TEST(ContainerdManifest, ConfigOfAManifestAndManifestOfAnIndex) {
  EXPECT_EQ(ParseManifest(R"({"config":{"digest":"sha256:c"}})")->config, "sha256:c");
  const auto index = ParseManifest(R"({"manifests":[
      {"digest":"sha256:w","platform":{"os":"windows","architecture":"amd64"}},
      {"digest":"sha256:a","platform":{"os":"linux","architecture":"amd64"}},
      {"digest":"sha256:b","platform":{"os":"linux","architecture":"arm64"}}]})");
  ASSERT_TRUE(index.ok()) << index.status();
  EXPECT_THAT(index->manifest, ::testing::AnyOf("sha256:a", "sha256:b"));
  EXPECT_EQ(ParseManifest(R"({"manifests":[{"digest":"sha256:x"}]})")->manifest, "sha256:x");
  EXPECT_TRUE(absl::IsNotFound(ParseManifest(R"({"manifests":[]})").status()));
  for (const char* bad : {"", "{}", "[]", R"({"config":[]})", R"({"config":{"digest":7}})"}) {
    EXPECT_TRUE(absl::IsDataLoss(ParseManifest(bad).status())) << bad;
  }
}

TEST(JsonFields, TimesBeforeTheEpochAndTextThatIsNoneAreUnknown) {
  EXPECT_EQ(ParseTimestamp("1970-01-01T00:00:01Z"), 1'000'000'000);
  EXPECT_EQ(ParseTimestamp("2026-11-24T12:30:09.5+01:00"), 1795519809500000000);
  for (const char* text : {"", "0001-01-01T00:00:00Z", "yesterday", "infinite-future", "12"}) {
    EXPECT_EQ(ParseTimestamp(text), 0) << text;
  }
}

TEST(EscapeForUrl, LeavesNothingThatEndsAPath) {
  EXPECT_EQ(EscapeForUrl("a-B_3.~"), "a-B_3.~");
  EXPECT_EQ(EscapeForUrl("sha256:a/b?c#d %\n"), "sha256%3Aa%2Fb%3Fc%23d%20%25%0A");
}

}  // namespace
}  // namespace roster

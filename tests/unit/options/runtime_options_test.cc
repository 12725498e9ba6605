// Which engines are asked for what, and what becomes of answers that are there at once.
#include <unistd.h>

#include <atomic>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "awaited.h"
#include "fake_cri_engine.h"
#include "fake_http_engine.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "options/once.h"
#include "roster/collection.h"
#include "temporary_directory.h"

namespace roster {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

// A dockerd with three containers: "run" and "pause", whose processes live, and "made".
std::string Docker(const std::string& path) {
  const auto listed = [](const char* id, const char* state) {
    return absl::StrCat(R"({"Id":")", id, R"(","Names":["/name-)", id,
                        R"("],"Image":"image:1","ImageID":"sha256:i1","State":")", state,
                        R"(","Labels":{"team":"blue"}})");
  };
  const auto inspected = [](const char* id, const char* state) {
    return absl::StrCat(R"({"Id":")", id, R"(","Name":"/name-)", id,
                        R"(","Image":"sha256:i1","Config":{"Image":"image:1"},"State":{"Status":")",
                        state, R"(","Pid":)", getpid(), "}}");
  };
  if (absl::StartsWith(path, "/containers/json")) {
    return FakeHttpEngine::Reply(absl::StrCat("[", listed("run", "running"), ",",
                                              listed("pause", "paused"), ",",
                                              listed("made", "created"), "]"));
  }
  if (path == "/containers/run/json") return FakeHttpEngine::Reply(inspected("run", "running"));
  if (path == "/containers/pause/json") return FakeHttpEngine::Reply(inspected("pause", "paused"));
  return FakeHttpEngine::Reply(R"({"message":"no such thing"})", "404 Not Found");
}

class RuntimeOptions : public ::testing::Test {
 protected:
  std::string Socket(const std::string& name) const { return directory_.path() + "/" + name; }
  RuntimeConfig Runtime(const std::string& name) const {
    return {.name = name, .socket_path = Socket(name)};
  }
  Option Warnings() {
    return WithWarningHandler([this](std::string_view text) { warnings_.emplace_back(text); });
  }
  std::vector<std::string> Ids() const {
    std::vector<std::string> ids;
    collection_.ContainerRange(
        [&](const ContainerPtr& c) { ids.push_back(c->runtime.container_id); });
    return ids;
  }

  TemporaryDirectory directory_;
  std::vector<std::string> warnings_;
  ContainerCollection collection_;
};

// Part 2: paused containers are not picked up at start.
TEST_F(RuntimeOptions, RunningAndPausedContainersAreThereFromTheBeginning) {
  FakeHttpEngine docker(Socket("docker"), Docker);
  ASSERT_TRUE(collection_.Initialize(WithContainerRuntimeEnrichment(Runtime("docker"))).ok());
  EXPECT_THAT(Ids(), UnorderedElementsAre("run", "pause"));
  const ContainerPtr run = collection_.GetContainer("run");
  EXPECT_EQ(run->runtime.runtime_name, "docker");
  EXPECT_EQ(run->runtime.container_name, "name-run");
  EXPECT_EQ(run->runtime.container_image_name, "image:1");
  EXPECT_EQ(run->runtime.container_image_id, "sha256:i1");
  EXPECT_EQ(run->runtime.container_pid, static_cast<uint32_t>(getpid()));
  // Part 3: labels for containers of every runtime, and selectors find them.
  EXPECT_THAT(run->k8s.pod_labels, ElementsAre(Pair("team", "blue")));
  ContainerSelector blue;
  blue.k8s.pod_labels["team"] = "blue";
  EXPECT_EQ(collection_.GetContainersBySelector(blue)->size(), 2u);
}

TEST_F(RuntimeOptions, AContainerWhoseProcessIsGoneIsNotTaken) {
  FakeHttpEngine docker(Socket("docker"), [](const std::string& path) {
    std::string reply = Docker(path);
    const std::string own = absl::StrCat(getpid());
    if (path == "/containers/run/json") reply.replace(reply.rfind(own), own.size(), "4194305");
    return FakeHttpEngine::Reply(reply.substr(reply.find("\r\n\r\n") + 4));
  });
  ASSERT_TRUE(collection_.Initialize(WithContainerRuntimeEnrichment(Runtime("docker"))).ok());
  EXPECT_THAT(Ids(), ElementsAre("pause"));
}

TEST_F(RuntimeOptions, AnAddedContainerGetsWhatItLacksAndKeepsWhatItHas) {
  FakeHttpEngine docker(Socket("docker"), Docker);
  ASSERT_TRUE(collection_.Initialize(WithContainerRuntimeEnrichment(Runtime("docker"))).ok());
  Container container = Named("made");
  container.runtime.container_image_name = "mine";
  ASSERT_TRUE(collection_.AddContainer(container).ok());
  const ContainerPtr added = collection_.GetContainer("made");
  EXPECT_EQ(added->runtime.container_name, "name-made");
  EXPECT_EQ(added->runtime.container_image_name, "mine");
}

TEST_F(RuntimeOptions, AnotherEnginesContainerIsNotAskedFor) {
  FakeHttpEngine docker(Socket("docker"), Docker);
  ASSERT_TRUE(collection_.Initialize(WithContainerRuntimeEnrichment(Runtime("docker"))).ok());
  Container container = Named("made");
  container.runtime.runtime_name = "cri-o";
  ASSERT_TRUE(collection_.AddContainer(container).ok());
  EXPECT_EQ(collection_.GetContainer("made")->runtime.container_name, "");
}

TEST_F(RuntimeOptions, ASandboxIsDroppedAndAPodsContainerGetsItsLabels) {
  FakeCriEngine crio(Socket("cri-o"));
  ASSERT_TRUE(collection_.Initialize(WithContainerRuntimeEnrichment(Runtime("cri-o"))).ok());
  EXPECT_TRUE(absl::IsAborted(collection_.AddContainer(Named("sandbox-a"))));
  ASSERT_TRUE(collection_.AddContainer(Named("container-a")).ok());
  const ContainerPtr added = collection_.GetContainer("container-a");
  EXPECT_EQ(added->runtime.container_name, "k8s_web_pod-a_ns-a_uid-a_3");
  EXPECT_EQ(added->sandbox_id, "sandbox-a");
  EXPECT_THAT(added->k8s.pod_labels, ElementsAre(Pair("app", "web")));
}

// Part 2: one missing sandbox fails a whole CRI list.
TEST_F(RuntimeOptions, AMissingSandboxCostsNoOtherContainer) {
  FakeCriEngine crio(Socket("cri-o"));
  crio.SetInfo({{"info", absl::StrCat(R"({"pid":)", getpid(), "}")}});
  ASSERT_TRUE(collection_.Initialize(WithContainerRuntimeEnrichment(Runtime("cri-o"))).ok());
  EXPECT_THAT(Ids(), Contains("container-a"));
}

TEST_F(RuntimeOptions, UnknownNamesAndProtocolsAreErrorsThatNameThem) {
  const std::vector<std::pair<RuntimeConfig, std::string>> wrong = {
      {{.name = "rkt"}, "rkt"},
      {{.name = ""}, "not known"},
      {{.name = "Docker"}, "Docker"},
      {{.name = "docker", .protocol = "tcp"}, "tcp"},
      {{.name = "podman", .protocol = "cri"}, "cri"},
      {{.name = "docker", .socket_path = "docker.sock"}, "absolute"},
      {{.name = "docker", .timeout = absl::ZeroDuration()}, "timeout 0"},
      {{.name = "podman", .timeout = -absl::Seconds(1)}, "timeout -1s"},
      {{.name = "containerd", .timeout = absl::Microseconds(999)}, "timeout 999us"},
      {{.name = "cri-o", .timeout = absl::InfiniteDuration()}, "timeout inf"},
  };
  for (const auto& [config, text] : wrong) {
    const absl::Status status =
        collection_.Initialize(Warnings(), WithContainerRuntimeEnrichment(config));
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr(text));
  }
  EXPECT_THAT(warnings_, IsEmpty()) << "the error says it";
  const absl::Status twice = collection_.Initialize(WithMultipleContainerRuntimesEnrichment(
      {{.name = "docker"}, {.name = "podman"}, {.name = "docker"}}));
  EXPECT_TRUE(absl::IsInvalidArgument(twice));
  EXPECT_THAT(std::string(twice.message()), HasSubstr("docker is given twice"));
}

TEST_F(RuntimeOptions, TheSameEngineTwiceIsAnErrorHoweverItIsGiven) {
  ASSERT_EQ(::symlink(directory_.path().c_str(), Socket("link").c_str()), 0);
  RuntimeConfig linked = Runtime("docker");
  linked.socket_path = Socket("link") + "/docker";
  const RuntimeConfig known = {.name = "docker"};
  const RuntimeConfig spelled = {.name = "docker", .socket_path = "/run//docker.sock"};
  const std::vector<std::vector<Option>> wrong = {
      {WithContainerRuntimeEnrichment(known), WithContainerRuntimeEnrichment(known)},
      {WithContainerRuntimeEnrichment(known), WithContainerRuntimeEnrichment(spelled)},
      {WithMultipleContainerRuntimesEnrichment({known}), WithContainerRuntimeEnrichment(spelled)},
      {WithMultipleContainerRuntimesEnrichment({Runtime("docker"), linked})},
  };
  for (const std::vector<Option>& options : wrong) {
    const absl::Status status = collection_.Initialize(options);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("docker is given twice"));
  }
  EXPECT_TRUE(collection_
                  .Initialize(WithContainerRuntimeEnrichment(Runtime("docker")),
                              WithContainerRuntimeEnrichment(Runtime("podman")))
                  .ok());
}

TEST_F(RuntimeOptions, AnEmptyListIsAsIfTheOptionWereNotThere) {
  for (const bool named : {false, true}) {
    ContainerCollection collection;
    std::vector<RuntimeConfig> runtimes;
    if (named) runtimes.push_back(Runtime("docker"));
    bool claimed = !named;
    // As a hook does, which otherwise asks the engines that it finds.
    const Option hook("hook", [&](CollectionSetup& setup) {
      setup.AddStarter(
          "hook",
          [&] {
            claimed = setup.IsClaimed(kNamesEngines);
            return absl::OkStatus();
          },
          [] {});
      return absl::OkStatus();
    });
    const absl::Status status =
        collection.Initialize(hook, WithMultipleContainerRuntimesEnrichment(runtimes),
                              WithOCIConfigForInitialContainer());
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(claimed, named);
  }
}

TEST_F(RuntimeOptions, WarningOptionsGivenTwiceAreErrors) {
  for (const Option& option : {Warnings(), WithDisableContainerRuntimeWarnings()}) {
    EXPECT_TRUE(absl::IsInvalidArgument(collection_.Initialize(option, option))) << option.name();
  }
}

TEST_F(RuntimeOptions, ADuplicateIdAcrossEnginesIsTwoContainers) {
  FakeHttpEngine docker(Socket("docker"), Docker);
  FakeHttpEngine podman(Socket("podman"), [](const std::string& path) {
    if (absl::StrContains(path, "/containers/json")) {
      return FakeHttpEngine::Reply(absl::StrCat(
          R"([{"Id":"run","Names":["other"],"State":"running","Pid":)", getppid(), "}]"));
    }
    return FakeHttpEngine::Reply(absl::StrCat(
        R"({"Id":"run","Name":"other","State":{"Status":"running","Pid":)", getppid(), "}}"));
  });
  ASSERT_TRUE(collection_
                  .Initialize(WithMultipleContainerRuntimesEnrichment(
                      {Runtime("docker"), Runtime("podman")}))
                  .ok());
  std::vector<std::string> names;
  for (const ContainerPtr& c : collection_.GetContainers("run")) {
    names.push_back(c->runtime.container_name);
  }
  EXPECT_THAT(names, UnorderedElementsAre("name-run", "other"));
}

TEST_F(RuntimeOptions, BadRepliesAreWarningsAndCostNoOtherEngine) {
  for (const std::string& reply :
       {std::string("garbage"), std::string("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{"),
        FakeHttpEngine::Reply("7"), FakeHttpEngine::Reply("{\"message\":\"x\"}", "500 Oh"),
        FakeHttpEngine::Reply("[" + std::string(10 << 20, ' ') + "]"), std::string()}) {
    SCOPED_TRACE(reply.substr(0, 60));
    FakeHttpEngine bad(Socket("podman"), [&](const std::string&) { return reply; });
    FakeHttpEngine docker(Socket("docker"), Docker);
    ContainerCollection collection;
    warnings_.clear();
    ASSERT_TRUE(collection
                    .Initialize(Warnings(), WithMultipleContainerRuntimesEnrichment(
                                                {Runtime("podman"), Runtime("docker")}))
                    .ok());
    EXPECT_THAT(warnings_, ElementsAre(HasSubstr("initial containers of podman")));
    EXPECT_EQ(collection.ContainerLen(), 2u);
  }
}

TEST_F(RuntimeOptions, WarningsCanBeDisabledWhereverTheOptionStands) {
  for (const bool first : {true, false}) {
    ContainerCollection collection;
    std::vector<Option> options = {Warnings(), WithContainerRuntimeEnrichment(Runtime("docker"))};
    options.insert(first ? options.begin() : options.end(), WithDisableContainerRuntimeWarnings());
    EXPECT_TRUE(collection.Initialize(options).ok());
    EXPECT_THAT(warnings_, IsEmpty());
  }
}

TEST_F(RuntimeOptions, AHangingEngineHoldsUpOneAddForItsTimeoutAndThenNone) {
  FakeHttpEngine* self = nullptr;
  std::atomic<bool> hang = false;
  FakeHttpEngine docker(Socket("docker"), [&](const std::string& path) {
    if (hang) self->Hang();
    return Docker(path);
  });
  self = &docker;
  RuntimeConfig runtime = Runtime("docker");
  runtime.timeout = absl::Milliseconds(200);
  ASSERT_TRUE(collection_.Initialize(WithContainerRuntimeEnrichment(runtime)).ok());
  hang = true;
  const absl::Time start = absl::Now();
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(collection_.AddContainer(Named(absl::StrCat("c", i))).ok());
  }
  // One time-out, not twenty.
  EXPECT_LT(absl::Now() - start, absl::Seconds(2));
  EXPECT_EQ(collection_.ContainerLen(), 22u);
  EXPECT_THAT(Ids(), Not(Contains("made")));
}

}  // namespace
}  // namespace roster

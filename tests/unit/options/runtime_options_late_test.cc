// What engines say too late for the add, or may not be asked in time.
#include <unistd.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "awaited.h"
#include "enrich/runtime_enricher.h"
#include "fake_containerd_engine.h"
#include "fake_cri_engine.h"
#include "fake_http_engine.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "roster/collection.h"
#include "temporary_directory.h"

namespace roster {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

// Podman, or docker, with one container "a" called "named".
std::string OneContainer(const std::string& path) {
  if (absl::StrContains(path, "/containers/json")) {
    return FakeHttpEngine::Reply(absl::StrCat(R"([{"Id":"a","Names":["named"],"State":"running",)",
                                              R"("Image":"image:1","Pid":)", getpid(), "}]"));
  }
  if (absl::StrContains(path, "/containers/a/json")) {
    return FakeHttpEngine::Reply(absl::StrCat(
        R"({"Id":"a","Name":"named","State":{"Status":"running","Pid":)", getpid(), "}}"));
  }
  return FakeHttpEngine::Reply(R"({"message":"no such thing"})", "404 Not Found");
}

class LateRuntimeOptions : public ::testing::Test {
 protected:
  std::string Socket(const std::string& name) const { return directory_.path() + "/" + name; }
  RuntimeConfig Runtime(const std::string& name) const {
    return {.name = name, .socket_path = Socket(name)};
  }
  // Events as "CREATED a " and "UPDATED a named".
  Option Events() {
    return WithPubSub({[this](const PubSubEvent& event) {
      absl::MutexLock lock(&mutex_);
      events_.push_back(absl::StrCat(std::string(EventTypeName(event.type)), " ",
                                     event.container->runtime.container_id, " ",
                                     event.container->runtime.container_name));
    }});
  }
  std::vector<std::string> AwaitEvents(size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto enough = [this, count]()
                            ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return events_.size() >= count; };
    mutex_.AwaitWithTimeout(absl::Condition(&enough), kLong);
    return events_;
  }
  // As far as other options can see, runtimes are held.
  static Option Hooked() {
    return Option("WithContainerFanotifyEbpf", [](CollectionSetup&) { return absl::OkStatus(); });
  }

  TemporaryDirectory directory_;
  absl::Mutex mutex_;
  std::vector<std::string> events_ ABSL_GUARDED_BY(mutex_);
  ContainerCollection collection_;
};

// The first of the two deadlocks: podman waits for its runtime with the container's lock taken.
TEST_F(LateRuntimeOptions, PodmanIsAskedOnlyWhenTheContainerHasBeenAnnounced) {
  std::atomic<bool> listed = false;
  FakeHttpEngine podman(Socket("podman"), [&](const std::string& path) {
    if (!listed.exchange(true)) return FakeHttpEngine::Reply("[]");
    EXPECT_NE(collection_.GetContainer("a"), nullptr);
    return OneContainer(path);
  });
  ASSERT_TRUE(
      collection_.Initialize(Events(), WithContainerRuntimeEnrichment(Runtime("podman"))).ok());
  ASSERT_TRUE(collection_.AddContainer(Named("a")).ok());
  EXPECT_THAT(AwaitEvents(2), ElementsAre("CREATED a ", "UPDATED a named"));
  EXPECT_EQ(collection_.GetContainer("a")->runtime.runtime_name, "podman");
}

// The second: containerd, and docker, wait for the process that the hook holds.
TEST_F(LateRuntimeOptions, WithAHookNoEngineIsAskedBeforeTheContainerIsAnnounced) {
  std::atomic<bool> listed = false;
  FakeHttpEngine docker(Socket("docker"), [&](const std::string& path) {
    if (!listed.exchange(true)) return FakeHttpEngine::Reply("[]");
    EXPECT_NE(collection_.GetContainer("a"), nullptr);
    return OneContainer(path);
  });
  ASSERT_TRUE(
      collection_.Initialize(Hooked(), Events(), WithContainerRuntimeEnrichment(Runtime("docker")))
          .ok());
  ASSERT_TRUE(collection_.AddContainer(Named("a")).ok());
  EXPECT_THAT(AwaitEvents(2), ElementsAre("CREATED a ", "UPDATED a named"));
}

TEST_F(LateRuntimeOptions, ASandboxThatIsKnownLateIsRemoved) {
  FakeCriEngine crio(Socket("cri-o"));
  ASSERT_TRUE(
      collection_.Initialize(Hooked(), Events(), WithContainerRuntimeEnrichment(Runtime("cri-o")))
          .ok());
  ASSERT_TRUE(collection_.AddContainer(Named("sandbox-a")).ok());
  EXPECT_THAT(AwaitEvents(2), ElementsAre("CREATED sandbox-a ", "DELETED sandbox-a "));
}

TEST_F(LateRuntimeOptions, ALateSandboxIsNotAnotherEnginesContainerOfThatId) {
  FakeCriEngine crio(Socket("cri-o"));
  ASSERT_TRUE(
      collection_.Initialize(Hooked(), Events(), WithContainerRuntimeEnrichment(Runtime("cri-o")))
          .ok());
  Container other = Named("sandbox-a");
  other.runtime.runtime_name = "docker";
  other.runtime.container_name = "other";
  other.runtime.container_pid = 11;
  ASSERT_TRUE(collection_.AddContainer(other).ok());
  Container sandbox = Named("sandbox-a");
  sandbox.runtime.container_pid = 12;
  ASSERT_TRUE(collection_.AddContainer(sandbox).ok());
  ASSERT_TRUE(collection_.AddContainer(Named("container-a")).ok());
  // Asked for one after the other: with the last one's answer the sandbox's has been there. The
  // sandbox's may come before the last one is added.
  EXPECT_THAT(
      AwaitEvents(5),
      UnorderedElementsAre("CREATED sandbox-a other", "CREATED sandbox-a ", "CREATED container-a ",
                           "DELETED sandbox-a ", "UPDATED container-a k8s_web_pod-a_ns-a_uid-a_3"));
  EXPECT_EQ(collection_.GetContainer("sandbox-a")->runtime.container_name, "other");
}

TEST_F(LateRuntimeOptions, ALateAnswerReachesTheContainerOfItsOwnEngine) {
  const auto one = [](const char* name, int pid) {
    return absl::StrCat(R"({"Id":"a","Name":")", name, R"(","Names":[")", name,
                        R"("],"ImageID":"i","Image":"i","ImageName":"image:1",)",
                        R"("State":{"Status":"running","Pid":)", pid, "}}");
  };
  const auto listed = [](const char* name) {
    return absl::StrCat(R"([{"Id":"a","Names":[")", name,
                        R"("],"ImageID":"i","Image":"image:1","State":"running"}])");
  };
  FakeHttpEngine docker(Socket("docker"), [&](const std::string& path) {
    if (absl::StrContains(path, "/images/")) return FakeHttpEngine::Reply("{}");
    return FakeHttpEngine::Reply(absl::StrContains(path, "/containers/json")
                                     ? listed("docker's")
                                     : one("docker's", getpid()));
  });
  std::atomic<int> images = 0;
  FakeHttpEngine podman(Socket("podman"), [&](const std::string& path) {
    if (absl::StrContains(path, "/images/")) {
      return ++images <= 2 ? FakeHttpEngine::Reply("{}", "500 Oh")
                           : FakeHttpEngine::Reply(R"({"Digest":"sha256:podmans"})");
    }
    return FakeHttpEngine::Reply(absl::StrContains(path, "/containers/json")
                                     ? listed("podman's")
                                     : one("podman's", getppid()));
  });
  ASSERT_TRUE(collection_
                  .Initialize(Events(), WithMultipleContainerRuntimesEnrichment(
                                            {Runtime("docker"), Runtime("podman")}))
                  .ok());
  EXPECT_THAT(AwaitEvents(3),
              ElementsAre("CREATED a docker's", "CREATED a podman's", "UPDATED a podman's"));
  for (const ContainerPtr& container : collection_.GetContainers("a")) {
    const bool podmans = container->runtime.container_name == "podman's";
    EXPECT_EQ(container->runtime.container_image_digest, podmans ? "sha256:podmans" : "");
  }
}

// Part 2: any failure of an engine's drops or forgets the container for good.
TEST_F(LateRuntimeOptions, AnEngineThatComesLaterIsAskedForWhatItKnows) {
  std::vector<std::string> warnings;
  ASSERT_TRUE(collection_
                  .Initialize(WithWarningHandler(
                                  [&](std::string_view text) { warnings.emplace_back(text); }),
                              Events(), WithContainerRuntimeEnrichment(Runtime("docker")))
                  .ok());
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("initial containers of docker")));
  EXPECT_EQ(collection_.ContainerLen(), 0u);
  FakeHttpEngine docker(Socket("docker"), OneContainer);
  EXPECT_THAT(AwaitEvents(1), ElementsAre("CREATED a named"));
}

TEST_F(LateRuntimeOptions, AnEngineThatComesLaterCompletesAContainerThatIsHereAlready) {
  ASSERT_TRUE(
      collection_.Initialize(Events(), WithContainerRuntimeEnrichment(Runtime("docker"))).ok());
  Container container = Named("a");
  // Nothing that the late stage would ask for.
  container.runtime.runtime_name = "docker";
  container.runtime.container_name = "mine";
  container.runtime.container_image_name = "image:1";
  container.runtime.container_image_digest = "sha256:d";
  container.runtime.container_pid = static_cast<uint32_t>(getpid());
  ASSERT_TRUE(collection_.AddContainer(container).ok());
  FakeHttpEngine docker(Socket("docker"), [](const std::string& path) {
    if (!absl::StrContains(path, "/containers/json")) return OneContainer(path);
    return FakeHttpEngine::Reply(
        R"([{"Id":"a","Names":["/named"],"State":"running","Labels":{"app":"web"}}])");
  });
  EXPECT_THAT(AwaitEvents(2), ElementsAre("CREATED a mine", "UPDATED a mine"));
  EXPECT_TRUE(collection_.GetContainer("a")->k8s.pod_labels.contains("app"));
}

TEST_F(LateRuntimeOptions, AContainerdThatCannotTellWhatRunsIsAWarningAndAskedAgain) {
  FakeContainerdEngine containerd(Socket("containerd"));
  containerd.SetFaults({.tasks = true});
  std::vector<std::string> warnings;
  ASSERT_TRUE(collection_
                  .Initialize(WithWarningHandler(
                                  [&](std::string_view text) { warnings.emplace_back(text); }),
                              Events(), WithContainerRuntimeEnrichment(Runtime("containerd")))
                  .ok());
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("tasks/List")));
  EXPECT_EQ(collection_.ContainerLen(), 0u);
  containerd.SetFaults({});
  EXPECT_THAT(AwaitEvents(1), ElementsAre("CREATED run run"));
}

// Counts the calls for its list, which it never answers.
class AwayEngine : public EngineClient {
 public:
  AwayEngine() : EngineClient(kLong) {}
  std::string Name() const override { return "docker"; }
  absl::StatusOr<std::vector<EngineContainer>> DoList(absl::Time) override {
    absl::MutexLock lock(&mutex_);
    ++lists_;
    return absl::UnavailableError("away");
  }
  absl::StatusOr<EngineContainer> DoGet(std::string_view, absl::Time) override {
    return absl::UnavailableError("away");
  }
  absl::StatusOr<EngineContainer> DoDetails(std::string_view, absl::Time) override {
    return absl::UnavailableError("away");
  }
  absl::StatusOr<std::map<std::string, std::string>> DoPodLabels(std::string_view,
                                                                 absl::Time) override {
    return absl::UnavailableError("away");
  }
  void AwaitLists(int count) {
    absl::MutexLock lock(&mutex_);
    const auto enough = [this, count]()
                            ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return lists_ >= count; };
    mutex_.AwaitWithTimeout(absl::Condition(&enough), kLong);
  }

 private:
  absl::Mutex mutex_;
  int lists_ ABSL_GUARDED_BY(mutex_) = 0;
};

TEST(RuntimeEnricherTest, AnEngineThatStaysAwayIsAskedLessAndLessOften) {
  const auto client = std::make_shared<AwayEngine>();
  const RuntimeEnricher::Engine engine{"docker", "", client};
  RuntimeEnricher enricher({engine},
                           {.warn = [](std::string_view) {}, .list_again = absl::Milliseconds(10)});
  const absl::Time start = absl::Now();
  EXPECT_TRUE(enricher.Initial(engine).empty());
  client->AwaitLists(6);
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(10 + 20 + 40 + 80 + 160));
}

TEST_F(LateRuntimeOptions, CloseEndsWhatIsStillBeingAskedFor) {
  FakeHttpEngine* self = nullptr;
  std::atomic<bool> listed = false;
  FakeHttpEngine podman(Socket("podman"), [&](const std::string&) {
    if (listed.exchange(true)) self->Hang();
    return FakeHttpEngine::Reply("[]");
  });
  self = &podman;
  RuntimeConfig runtime = Runtime("podman");
  runtime.timeout = absl::Milliseconds(300);
  ASSERT_TRUE(collection_.Initialize(WithContainerRuntimeEnrichment(runtime)).ok());
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(collection_.AddContainer(Named(absl::StrCat("c", i))).ok());
  }
  const absl::Time start = absl::Now();
  collection_.Close();
  EXPECT_LT(absl::Now() - start, absl::Seconds(5));
}

}  // namespace
}  // namespace roster

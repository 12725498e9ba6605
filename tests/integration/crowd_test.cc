// Many starts with all engines at once, against a collection in this process, so that a sanitizer
// sees the whole way: hold, events, enrichment, indexes, subscribers, look-ups, pins.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engines/docker_engine.h"
#include "engines/engine.h"
#include "engines/image.h"
#include "engines/wait.h"
#include "engines/workspace_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "integration/judge.h"
#include "kernel/mutex.h"
#include "kernel/pins.h"
#include "own_process.h"
#include "roster/collection.h"

namespace roster::testing {
namespace {

// What one subscriber was told of each container, in order.
class Heard {
 public:
  FuncNotify Callback() {
    return [this](const PubSubEvent& event) {
      if (event.type == EventType::kPreCreate) return;
      MutexLock lock(&mutex_);
      heard_[event.container->runtime.container_id].push_back(event.type);
    };
  }
  std::vector<EventType> Of(const std::string& id) {
    MutexLock lock(&mutex_);
    return heard_[id];
  }

 private:
  Mutex mutex_;
  std::map<std::string, std::vector<EventType>> heard_ ABSL_GUARDED_BY(mutex_);
};

class Crowd : public WorkspaceTest {
 protected:
  void SetUp() override {
    WorkspaceTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    for (const EngineKind kind : kAllEngines) {
      ASSERT_TRUE(IsInstalled(kind)) << EngineName(kind);
      engines_.push_back(MakeEngine(kind, *workspace_));
      const absl::Status started = engines_.back()->Start();
      ASSERT_TRUE(started.ok()) << started;
    }
    hook_.pin_dir = absl::StrCat(ROSTER_BPFFS "/roster-crowd-", ::getpid(), "/v1");
    hook_.hold_deadline = absl::Seconds(2);  // a sanitizer makes everything slow
    hook_.on_problem = [](std::string_view problem) { ADD_FAILURE() << problem; };
  }
  void TearDown() override {
    collection_.reset();
    for (const auto& engine : engines_) {
      const absl::Status stopped = engine->Stop();
      EXPECT_TRUE(stopped.ok()) << stopped;
    }
    std::error_code ignored;
    std::filesystem::remove_all(std::filesystem::path(hook_.pin_dir).parent_path(), ignored);
  }

  absl::Status Open(ContainerCollection* collection, std::shared_ptr<TracerCollection> tracers) {
    const std::string docker = static_cast<DockerEngine&>(*engines_[3]).socket();
    return collection->Initialize(
        WithPubSub({heard_.Callback()}), WithTracerCollection(std::move(tracers)),
        WithContainerRuntimeEnrichment({.name = "docker", .socket_path = docker}),
        WithOCIConfigEnrichment(), WithCgroupEnrichment(), WithContainerFanotifyEbpf(hook_));
  }

  // Starts and removes `count` containers with one engine; their ids.
  std::vector<std::string> StartAndRemove(Engine* engine, int count, const std::string& prefix) {
    std::vector<std::string> ids;
    for (int i = 0; i < count; ++i) {
      const std::string name = absl::StrCat(prefix, i);
      const auto id = engine->Run({name, {MarkerPath(i % kMarkers), "wait"}});
      EXPECT_TRUE(id.ok()) << engine->Name() << ": " << id.status();
      if (!id.ok()) continue;
      ids.push_back(*id);
      // A bare runtime returns before the init's exec: what is removed by then has never run.
      Ticker ticker(absl::Milliseconds(5));
      const absl::Status told =
          WaitUntil("CREATED of " + name, {ticker.fd()}, In(absl::Seconds(20)), [&] {
            ticker.Take();
            return !heard_.Of(*id).empty();
          });
      EXPECT_TRUE(told.ok()) << told;
      const absl::Status removed = engine->Remove(name);
      EXPECT_TRUE(removed.ok()) << engine->Name() << ": " << removed;
    }
    return ids;
  }

  // Look-ups, selections, subscriptions and tracers that come and go, until told to stop.
  void Stir(const std::atomic<bool>& stop) {
    CommonData data;
    for (int i = 0; !stop; ++i) {
      collection_->ContainerRange([&](const ContainerPtr& c) {
        EXPECT_FALSE(c->runtime.container_id.empty());
        collection_->EnrichByMntNs(&data, c->mntns);
        collection_->EnrichByNetNs(&data, c->netns);
        collection_->GetContainer(c->runtime.container_id);
      });
      ContainerSelector docker;
      docker.runtime.container_name = "docker-0";
      EXPECT_TRUE(collection_->GetContainersBySelector(docker).ok());
      const std::string key = absl::StrCat("passing-", i % 4);
      EXPECT_TRUE(collection_->Subscribe(key, {}, [](const PubSubEvent&) {}).ok());
      EXPECT_TRUE(collection_->Unsubscribe(key).ok());
      if (tracers_->AddTracer("passing", docker, {.mntns_set = true}).ok()) {
        tracers_->RemoveTracer("passing").IgnoreError();
      }
      std::this_thread::yield();
    }
  }

  HookOptions hook_;
  std::shared_ptr<TracerCollection> tracers_ = std::make_shared<TracerCollection>(nullptr);
  Heard heard_;
  std::unique_ptr<ContainerCollection> collection_ = std::make_unique<ContainerCollection>();
  std::vector<std::unique_ptr<Engine>> engines_;
};

TEST_F(Crowd, OfDockerAndAllOthersEveryContainerIsAnnouncedOnceAndEndedOnce) {
  ASSERT_EQ(engines_[3]->Name(), "docker");
  {
    // What libraries keep after their first use is not ours to give back.
    ContainerCollection first;
    const absl::Status opened = Open(&first, std::make_shared<TracerCollection>(nullptr));
    ASSERT_TRUE(opened.ok()) << opened;
    first.Close();
  }
  const std::vector<std::string> files = OpenFiles();
  const size_t threads = CountThreads();
  const absl::Status status = Open(collection_.get(), tracers_);
  ASSERT_TRUE(status.ok()) << status;
  ASSERT_TRUE(tracers_->AddTracer("all", {}, {.mntns_set = true, .cgroup_set = true}).ok());
  // ROSTER_TEST_STARTS for each engine, two threads an engine.
  const int each = (StartCount() + 1) / 2;
  Mutex mutex;
  std::vector<std::string> ids;
  std::vector<std::thread> starters;
  for (const auto& engine : engines_) {
    for (int half = 0; half < 2; ++half) {
      starters.emplace_back([&, half] {
        const std::vector<std::string> own =
            StartAndRemove(engine.get(), each, absl::StrCat(engine->Name(), "-", half, "-"));
        MutexLock lock(&mutex);
        ids.insert(ids.end(), own.begin(), own.end());
      });
    }
  }
  std::atomic<bool> stop = false;
  std::thread stirrer([&] { Stir(stop); });
  for (std::thread& starter : starters) starter.join();
  stop = true;
  stirrer.join();
  EXPECT_EQ(ids.size(), static_cast<size_t>(2 * each) * engines_.size());
  {
    Ticker ticker(absl::Milliseconds(20));
    const absl::Status ended = WaitUntil("the last end", {ticker.fd()}, In(absl::Seconds(20)), [&] {
      ticker.Take();
      return collection_->ContainerLen() == 0;
    });
    EXPECT_TRUE(ended.ok()) << ended << ", " << collection_->ContainerLen() << " left";
  }
  int wrong = 0;
  for (const std::string& id : ids) {
    const std::vector<EventType> heard = heard_.Of(id);
    const auto count = [&](EventType type) { return std::count(heard.begin(), heard.end(), type); };
    if (count(EventType::kCreated) == 1 && count(EventType::kDeleted) == 1 &&
        heard.front() == EventType::kCreated && heard.back() == EventType::kDeleted) {
      continue;
    }
    if (++wrong <= 5) ADD_FAILURE() << id << ": " << ::testing::PrintToString(heard);
  }
  EXPECT_EQ(wrong, 0) << "of " << ids.size();
  EXPECT_EQ(tracers_->SinkErrors(), 0u);
  collection_.reset();
  // The marks lie in a descriptor of fanotify's, which would be one of these.
  EXPECT_EQ(OpenFiles(), files);
  EXPECT_EQ(CountThreads(), threads);
  std::cerr << ids.size() << " starts with " << engines_.size() << " engines at once\n";
}

}  // namespace
}  // namespace roster::testing

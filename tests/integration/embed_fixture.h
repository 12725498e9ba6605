// Embed is what the tests of the embedded library have in common: a collection with the hook, pins
// of its own, one engine, and the events that a subscriber got.
#ifndef ROSTER_TESTS_INTEGRATION_EMBED_FIXTURE_H_
#define ROSTER_TESTS_INTEGRATION_EMBED_FIXTURE_H_

#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "engines/engine.h"
#include "engines/wait.h"
#include "engines/workspace_fixture.h"
#include "gtest/gtest.h"
#include "roster/collection.h"
#include "roster_abi.h"

namespace roster::testing {

class Embed : public WorkspaceTest {
 protected:
  void SetUp() override {
    WorkspaceTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    hook_.pin_dir = absl::StrCat(ROSTER_BPFFS "/roster-embed-", ::getpid(), "/v1");
    hook_.on_problem = [](std::string_view problem) { ADD_FAILURE() << problem; };
  }
  void TearDown() override {
    collection_.Close();
    if (engine_ != nullptr) {
      const absl::Status stopped = engine_->Stop();
      EXPECT_TRUE(stopped.ok()) << stopped;
    }
    std::error_code ignored;
    std::filesystem::remove_all(std::filesystem::path(hook_.pin_dir).parent_path(), ignored);
  }
  void StartEngine(EngineKind kind) {
    engine_ = MakeEngine(kind, *workspace_);
    const absl::Status started = engine_->Start();
    ASSERT_TRUE(started.ok()) << started;
  }
  Option Events() {
    return WithPubSub({[this](const PubSubEvent& event) {
      absl::MutexLock lock(&mutex_);
      events_.push_back(event);
    }});
  }
  // The first event of that type of that container, when it comes.
  ContainerPtr Await(EventType type, const std::string& id) {
    ContainerPtr found;
    const auto there = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
      for (const PubSubEvent& event : events_) {
        if (event.type == type && event.container->runtime.container_id == id) {
          found = event.container;
          return true;
        }
      }
      return false;
    };
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithDeadline(absl::Condition(&there), In(absl::Seconds(20)));
    return found;
  }
  // Without UPDATED, of which there may be any number.
  std::vector<EventType> TypesOf(const std::string& id) {
    absl::MutexLock lock(&mutex_);
    std::vector<EventType> types;
    for (const PubSubEvent& event : events_) {
      if (event.type == EventType::kUpdated) continue;
      if (event.container->runtime.container_id == id) types.push_back(event.type);
    }
    return types;
  }

  HookOptions hook_;
  absl::Mutex mutex_;
  std::vector<PubSubEvent> events_ ABSL_GUARDED_BY(mutex_);
  ContainerCollection collection_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace roster::testing

#endif  // ROSTER_TESTS_INTEGRATION_EMBED_FIXTURE_H_

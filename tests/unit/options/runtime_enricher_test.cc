// What is made of an engine's list when the engine does not answer about all that is on it.
#include "enrich/runtime_enricher.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "awaited.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace roster {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// An engine whose answers the test may change; each of them without waiting.
class ScriptedEngine : public EngineClient {
 public:
  ScriptedEngine() : EngineClient(kLong) {}
  std::string Name() const override { return "docker"; }

  std::function<absl::StatusOr<std::vector<EngineContainer>>()> list = [] {
    return absl::UnavailableError("away");
  };
  std::function<absl::StatusOr<EngineContainer>(std::string_view)> details;
  std::function<absl::StatusOr<std::map<std::string, std::string>>(std::string_view)> pod_labels;

 private:
  absl::StatusOr<std::vector<EngineContainer>> DoList(absl::Time) override { return list(); }
  absl::StatusOr<EngineContainer> DoGet(std::string_view, absl::Time) override {
    return absl::UnavailableError("away");
  }
  absl::StatusOr<EngineContainer> DoDetails(std::string_view id, absl::Time) override {
    return details(id);
  }
  absl::StatusOr<std::map<std::string, std::string>> DoPodLabels(std::string_view sandbox,
                                                                 absl::Time) override {
    return pod_labels(sandbox);
  }
};

// Told by the enricher's thread, awaited by the test.
class Strings {
 public:
  void Add(std::string text) {
    absl::MutexLock lock(&mutex_);
    texts_.push_back(std::move(text));
  }
  std::vector<std::string> Await(size_t count) const {
    absl::MutexLock lock(&mutex_);
    const auto enough = [this, count]()
                            ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return texts_.size() >= count; };
    mutex_.AwaitWithTimeout(absl::Condition(&enough), kLong);
    return texts_;
  }

 private:
  mutable absl::Mutex mutex_;
  std::vector<std::string> texts_ ABSL_GUARDED_BY(mutex_);
};

EngineContainer Running(std::string_view id, pid_t pid) {
  return {.id = std::string(id),
          .state = EngineState::kRunning,
          .pid = static_cast<uint32_t>(pid),
          .sandbox = "pod-of-" + std::string(id)};
}

TEST(RuntimeEnricherTest, APodOfWhichNothingIsSaidCostsNoOtherContainer) {
  const auto client = std::make_shared<ScriptedEngine>();
  client->list = [] { return std::vector{Running("a", 0), Running("b", 0)}; };
  client->details = [](std::string_view id) { return Running(id, getpid()); };
  client->pod_labels = [](std::string_view sandbox) {
    EXPECT_EQ(sandbox, "pod-of-a") << "asked again, of an engine that does not answer";
    return absl::UnavailableError("too slow");
  };
  const RuntimeEnricher::Engine engine{"docker", "", client};
  Strings warnings;
  RuntimeEnricher enricher({engine},
                           {.warn = [&](std::string_view text) { warnings.Add(std::string(text)); },
                            .list_again = kLong});
  std::vector<std::string> ids;
  for (const Container& container : enricher.Initial(engine)) {
    ids.push_back(container.runtime.container_id);
  }
  EXPECT_THAT(ids, ElementsAre("a", "b"));
  EXPECT_THAT(warnings.Await(1), ElementsAre(HasSubstr("too slow")));
}

TEST(RuntimeEnricherTest, NobodyIsToldOfOneThatEndedWhileTheOthersWereAskedAbout) {
  const pid_t ends = fork();
  if (ends == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pause();
    _exit(0);
  }
  const auto client = std::make_shared<ScriptedEngine>();
  const RuntimeEnricher::Engine engine{"docker", "", client};
  Strings added;
  ContainerCollection collection;
  RuntimeEnricher enricher({engine}, {.collection = &collection,
                                      .add_initial =
                                          [&](const Container& container) {
                                            added.Add(container.runtime.container_id);
                                            return absl::OkStatus();
                                          },
                                      .warn = [](std::string_view) {},
                                      .list_again = absl::Milliseconds(200)});
  bool first = true;  // the list is asked for by one thread after the other
  client->list = [&first]() -> absl::StatusOr<std::vector<EngineContainer>> {
    if (std::exchange(first, false)) return absl::UnavailableError("away");
    return std::vector{Running("ended", 0), Running("lives", 0)};
  };
  client->details = [ends](std::string_view id) {
    if (id == "ended") return Running(id, ends);
    kill(ends, SIGKILL);
    waitpid(ends, nullptr, 0);
    return Running(id, getpid());
  };
  client->pod_labels = [](std::string_view) { return std::map<std::string, std::string>(); };
  EXPECT_THAT(enricher.Initial(engine), IsEmpty());
  EXPECT_THAT(added.Await(1), ElementsAre("lives"));
}

}  // namespace
}  // namespace roster

// kill -9 of the daemon, again and again, while containers start and end: the final state is the
// truth.
#include <algorithm>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "engines/image.h"
#include "integration/roster_test_base.h"
#include "kernel/errors.h"

namespace roster::testing {
namespace {

constexpr int kKills = 20;

// The starts that may be made, so that each daemon, and each time without one, gets its share.
class Budget {
 public:
  void Grant(int starts) {
    absl::MutexLock lock(&mutex_);
    left_ += starts;
    open_ += starts;
  }
  // Waits until every start that was granted has been made.
  void AwaitMade() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(
        +[](int* open) { return *open == 0; }, &open_));
  }
  // Waits for a start to be granted; false when none will be.
  bool Take() {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(this, &Budget::MayGoOn));
    return left_ > 0 && left_-- > 0;
  }
  void Made() {
    absl::MutexLock lock(&mutex_);
    --open_;
  }
  void Close() {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
  }

 private:
  bool MayGoOn() const { return left_ > 0 || closed_; }
  absl::Mutex mutex_;
  int left_ = 0, open_ = 0;
  bool closed_ = false;
};

// Starts containers with one engine, as the budget allows; every second one is removed at once.
class Starter {
 public:
  Starter(Engine* engine, int first_marker, Budget* budget)
      : engine_(engine), first_marker_(first_marker), budget_(budget) {
    thread_ = std::thread([this] { Work(); });
  }
  ~Starter() { Finish(); }

  void Finish() {
    budget_->Close();
    if (thread_.joinable()) thread_.join();
  }

  // After Finish.
  Engine* engine() const { return engine_; }
  const std::vector<StartedContainer>& all() const { return all_; }
  const std::vector<StartedContainer>& living() const { return living_; }
  const absl::Status& status() const { return status_; }

 private:
  void Work() {
    for (int i = 0; budget_->Take(); ++i) {
      if (status_.ok()) status_ = StartOne(i);
      budget_->Made();
    }
  }

  absl::Status StartOne(int i) {
    StartedContainer container;
    container.name = absl::StrCat("c", i);
    // A marker for each, so that the observer can tell them apart.
    container.marker = first_marker_ + i;
    ROSTER_ASSIGN_OR_RETURN(container.id,
                            engine_->Run({container.name, {MarkerPath(container.marker), "wait"}}));
    all_.push_back(container);
    if (i % 2 == 0) return engine_->Remove(container.name);
    living_.push_back(container);
    return absl::OkStatus();
  }

  Engine* const engine_;
  const int first_marker_;
  Budget* const budget_;
  std::vector<StartedContainer> all_, living_;
  absl::Status status_;
  std::thread thread_;
};

class Restart : public RosterTestBase {};

TEST_F(Restart, TwentyKillsDuringManyStartsLoseAndLeaveNothing) {
  StartAll(EngineKind::kRunc);
  if (HasFatalFailure()) return;
  std::unique_ptr<Engine> crun = MakeEngine(EngineKind::kCrun, *workspace_);
  std::unique_ptr<Engine> podman = MakeEngine(EngineKind::kPodman, *workspace_);
  ROSTER_ASSERT_OK(crun->Start());
  ROSTER_ASSERT_OK(podman->Start());
  Budget budget;
  Starter starters[] = {
      {engine_.get(), 0, &budget}, {crun.get(), 300, &budget}, {podman.get(), 600, &budget}};
  // Half of each share is begun while there is no daemon, or one that is just starting.
  const int share = std::max(4, std::min(StartCount(), 300) / kKills);
  for (int kill = 0; kill < kKills; ++kill) {
    ROSTER_ASSERT_OK(roster_->Kill());
    budget.Grant(share / 2);
    ROSTER_ASSERT_OK(roster_->Start());
    budget.Grant(share - share / 2);
    budget.AwaitMade();
  }
  std::vector<StartedContainer> all;
  std::set<std::string> truth;
  for (Starter& starter : starters) {
    starter.Finish();
    ROSTER_ASSERT_OK(starter.status());
    all.insert(all.end(), starter.all().begin(), starter.all().end());
    for (const StartedContainer& container : starter.living()) truth.insert(container.id);
  }
  // No container was unknown to the kernel at its first instruction, daemon or not. One that was
  // removed at once may have been killed before it had any.
  std::vector<StartedContainer> seen;
  for (StartedContainer& container : all) {
    const bool removed = !truth.contains(container.id);
    auto call = observer_->Await(container.marker, removed ? absl::Now() : In(absl::Seconds(5)));
    if (removed && !call.ok()) continue;
    ROSTER_ASSERT_OK(call);
    container.call = *call;
    seen.push_back(container);
  }
  EXPECT_GE(seen.size(), truth.size());
  Verdict verdict = Decide(seen);
  std::cout << "  " << all.size() << " starts, " << kKills << " kills; "
            << ToText({verdict.by_task, verdict.by_mntns, verdict.by_cgroup, {}}) << "\n";
  for (const Tally& tally : {verdict.by_task, verdict.by_mntns, verdict.by_cgroup}) {
    EXPECT_EQ(tally.missed + tally.wrong, 0) << ToText(verdict);
  }
  ROSTER_EXPECT_OK(roster_->AwaitList("exactly the containers that run", In(absl::Seconds(10)),
                                      [&](const auto& list) {
                                        std::set<std::string> listed;
                                        for (const auto& [id, container] : list) listed.insert(id);
                                        return listed == truth;
                                      }));
  for (Starter& starter : starters) {
    ROSTER_ASSERT_OK(RemoveContainers(starter.engine(), starter.living(), 4));
  }
  ExpectNothingLeft();
  ROSTER_EXPECT_OK(crun->Stop());
  ROSTER_EXPECT_OK(podman->Stop());
}

// A runtime that no daemon has seen keeps its states where nobody looks. The first that tells
// where, whoever the daemon is then, names those that were started before.
TEST_F(Restart, WhatNobodyCouldNameIsNamedOnceItsRuntimesStatesAreKnown) {
  StartAll(EngineKind::kRunc);
  if (HasFatalFailure()) return;
  std::unique_ptr<Engine> crun = MakeEngine(EngineKind::kCrun, *workspace_);
  ROSTER_ASSERT_OK(crun->Start());
  ROSTER_ASSERT_OK(roster_->Terminate());
  auto before = StartContainers(crun.get(), StartMode::kRun, 2, 1, "before", 0, observer_.get());
  ROSTER_ASSERT_OK(before);
  const auto all_unknown = [](const auto& list) {
    return list.size() == 2 && std::all_of(list.begin(), list.end(), [](const auto& entry) {
             return entry.first.starts_with("unknown-");
           });
  };
  const auto named = [&](const auto& list, size_t count) {
    return list.size() == count && list.contains("before0") && list.contains("before1");
  };
  ROSTER_ASSERT_OK(roster_->Start());
  ROSTER_ASSERT_OK(roster_->AwaitList("two without a name", In(absl::Seconds(15)), all_unknown));
  // To the next daemon they are no less unknown.
  ROSTER_ASSERT_OK(roster_->Terminate());
  ROSTER_ASSERT_OK(roster_->Start());
  ROSTER_ASSERT_OK(
      roster_->AwaitList("again two without a name", In(absl::Seconds(15)), all_unknown));
  auto after = StartContainers(crun.get(), StartMode::kRun, 1, 1, "after", 10, observer_.get());
  ROSTER_ASSERT_OK(after);
  ROSTER_EXPECT_OK(roster_->AwaitList("all three by name", In(absl::Seconds(5)),
                                      [&](const auto& list) { return named(list, 3); }));
  // The pins have it as well.
  ROSTER_ASSERT_OK(roster_->Terminate());
  auto pins = roster_->Call({"list", "-o", "json"});
  ROSTER_ASSERT_OK(pins);
  EXPECT_THAT(pins->out, ::testing::HasSubstr("\"before0\""));
  EXPECT_THAT(pins->out, ::testing::Not(::testing::HasSubstr("unknown-")));
  ROSTER_ASSERT_OK(roster_->Start());
  for (const auto* group : {&*before, &*after}) {
    ROSTER_ASSERT_OK(RemoveContainers(crun.get(), *group, 2));
  }
  ExpectNothingLeft();
  ROSTER_EXPECT_OK(crun->Stop());
}

TEST_F(Restart, CleanStopKeepsThePinsAndTheNextDaemonGoesOn) {
  StartAll(EngineKind::kRunc);
  if (HasFatalFailure()) return;
  auto before = StartContainers(engine_.get(), StartMode::kRun, 3, 1, "before", 0, observer_.get());
  ROSTER_ASSERT_OK(before);
  ROSTER_ASSERT_OK(roster_->Terminate());
  // The list is answered from the pins, and says so.
  auto answer = roster_->Call({"list", "-o", "json"});
  ROSTER_ASSERT_OK(answer);
  EXPECT_EQ(answer->exit_code, 0) << answer->err;
  EXPECT_THAT(answer->err, ::testing::HasSubstr("pins"));
  for (const StartedContainer& container : *before)
    EXPECT_THAT(answer->out, ::testing::HasSubstr(container.id));
  auto between =
      StartContainers(engine_.get(), StartMode::kRun, 3, 1, "between", 10, observer_.get());
  ROSTER_ASSERT_OK(between);
  ROSTER_ASSERT_OK(roster_->Start());
  ROSTER_EXPECT_OK(
      roster_->AwaitList("six containers", In(absl::Seconds(5)), [&](const auto& list) {
        for (const auto* group : {&*before, &*between}) {
          for (const StartedContainer& container : *group) {
            if (!list.contains(container.id)) return false;
          }
        }
        return list.size() == 6;
      }));
  // The same handles as before: a tracer that noted one still means the same container.
  auto after = StartContainers(engine_.get(), StartMode::kRun, 1, 1, "after", 20, observer_.get());
  ROSTER_ASSERT_OK(after);
  EXPECT_EQ((*after)[0].call.by_task.id, "after0")
      << "the observer's maps are no longer those of the daemon";
  for (const auto* group : {&*before, &*between, &*after}) {
    ROSTER_ASSERT_OK(RemoveContainers(engine_.get(), *group, 3));
  }
  ExpectNothingLeft();
}

TEST_F(Restart, SecondDaemonIsRefusedAndDisturbsNothing) {
  StartAll(EngineKind::kRunc);
  if (HasFatalFailure()) return;
  auto second = RunCommand({RosterUnderTest::Program(), "daemon", "--socket",
                            workspace_->Path("second.sock"), "--pin-dir", roster_->pin_directory(),
                            "--state-dir", workspace_->Path("roster")});
  ROSTER_ASSERT_OK(second);
  EXPECT_NE(second->exit_code, 0);
  EXPECT_THAT(second->err + second->out, ::testing::HasSubstr(std::to_string(roster_->pid())));
  auto containers = StartContainers(engine_.get(), StartMode::kRun, 3, 1, "c", 0, observer_.get());
  ROSTER_ASSERT_OK(containers);
  EXPECT_EQ(Decide(*containers).by_task.right, 3);
  ROSTER_ASSERT_OK(RemoveContainers(engine_.get(), *containers, 3));
  ExpectNothingLeft();
}

TEST_F(Restart, UninstallRemovesEveryPinAndLink) {
  StartAll(EngineKind::kRunc);
  if (HasFatalFailure()) return;
  observer_.reset();
  ROSTER_ASSERT_OK(roster_->Terminate());
  EXPECT_TRUE(std::filesystem::exists(roster_->pin_directory() + "/roster_mntns"));
  ROSTER_EXPECT_OK(roster_->Uninstall());
  EXPECT_FALSE(std::filesystem::exists(roster_->pin_directory()));
}

}  // namespace
}  // namespace roster::testing

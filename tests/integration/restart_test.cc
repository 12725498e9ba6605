// kill -9 of the daemon, again and again, while containers start and end: the final state is the
// truth.
#include <atomic>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engines/image.h"
#include "integration/roster_test_base.h"

namespace roster::testing {
namespace {

constexpr int kKills = 20;

// Starts containers with one engine until told to stop and `least` have been started; every second
// one is removed at once.
class Starter {
 public:
  Starter(Engine* engine, int first_marker, int least)
      : engine_(engine), first_marker_(first_marker), least_(least) {
    thread_ = std::thread([this] { Work(); });
  }
  ~Starter() { Finish(); }

  void Finish() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  bool enough() const { return started_ >= least_; }
  int started() const { return started_; }
  bool failed() const { return failed_; }

  // After Finish.
  const std::vector<StartedContainer>& all() const { return all_; }
  const std::vector<StartedContainer>& living() const { return living_; }
  const absl::Status& status() const { return status_; }

 private:
  void Work() {
    // A marker for each, so that the observer can tell them apart.
    for (int i = 0; (!stop_ || !enough()) && i < 300; ++i) {
      StartedContainer container;
      container.name = absl::StrCat("c", i);
      container.marker = first_marker_ + i;
      absl::StatusOr<std::string> id =
          engine_->Run({container.name, {MarkerPath(container.marker), "wait"}});
      status_.Update(id.status());
      failed_ = !status_.ok();
      if (failed_) return;
      container.id = *id;
      all_.push_back(container);
      if (i % 2 == 0) {
        status_.Update(engine_->Remove(container.name));
      } else {
        living_.push_back(container);
      }
      ++started_;
    }
  }

  Engine* const engine_;
  const int first_marker_, least_;
  std::atomic<bool> stop_ = false;
  std::atomic<int> started_ = 0;
  std::atomic<bool> failed_ = false;
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
  const int least = std::max(10, StartCount() / 3);
  Starter starters[] = {
      {engine_.get(), 0, least}, {crun.get(), 300, least}, {podman.get(), 600, least}};
  for (int kill = 0; kill < kKills; ++kill) {
    ROSTER_ASSERT_OK(roster_->Kill());
    ROSTER_ASSERT_OK(roster_->Start());
    // Each daemon sees its share of the starts, as does the time between two.
    Ticker ticker(absl::Milliseconds(5));
    ROSTER_ASSERT_OK(WaitUntil("the starts to go on", {ticker.fd()}, In(absl::Seconds(60)), [&] {
      ticker.Take();
      int started = 0;
      bool failed = false;
      for (const Starter& starter : starters) {
        started += starter.started();
        failed |= starter.failed();
      }
      return failed || started >= 3 * least * (kill + 1) / kKills;
    }));
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
    Engine* engine = &starter == &starters[0]   ? engine_.get()
                     : &starter == &starters[1] ? crun.get()
                                                : podman.get();
    ROSTER_ASSERT_OK(RemoveContainers(engine, starter.living(), 4));
  }
  ExpectNothingLeft();
  ROSTER_EXPECT_OK(crun->Stop());
  ROSTER_EXPECT_OK(podman->Stop());
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

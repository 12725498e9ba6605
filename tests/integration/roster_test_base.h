// RosterTestBase is what the tests with a live daemon have in common: a workspace, the daemon, an
// observer of its pins, and the check that nothing is left over.
#ifndef ROSTER_TESTS_INTEGRATION_ROSTER_TEST_BASE_H_
#define ROSTER_TESTS_INTEGRATION_ROSTER_TEST_BASE_H_

#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include "engines/engine.h"
#include "engines/image.h"
#include "engines/wait.h"
#include "engines/workspace_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "integration/judge.h"
#include "integration/learn_runtime.h"
#include "integration/observer.h"
#include "integration/roster_under_test.h"

namespace roster::testing {

#define ROSTER_ASSERT_OK(expression)                \
  do {                                              \
    const auto& status_ = (expression);             \
    ASSERT_TRUE(status_.ok()) << StatusOf(status_); \
  } while (false)
#define ROSTER_EXPECT_OK(expression)                \
  do {                                              \
    const auto& status_ = (expression);             \
    EXPECT_TRUE(status_.ok()) << StatusOf(status_); \
  } while (false)

inline const absl::Status& StatusOf(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& status) {
  return status.status();
}

class RosterTestBase : public WorkspaceTest {
 protected:
  void SetUp() override {
    WorkspaceTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    roster_ = std::make_unique<RosterUnderTest>(*workspace_);
  }

  void TearDown() override {
    if (workspace_ == nullptr) return;
    if (HasFailure()) {
      std::cerr << roster_->DescribeKernelSide() << "\nthe daemon's log:\n"
                << roster_->Log().substr(0, 20000) << "\n";
    }
    observer_.reset();
    if (engine_ != nullptr) ROSTER_EXPECT_OK(engine_->Stop());
    engine_.reset();
    const std::string pins = std::filesystem::path(roster_->pin_directory()).parent_path();
    if (roster_->running()) ROSTER_EXPECT_OK(roster_->Terminate());
    // A directory of ours may be left, empty; a pin may not.
    if (std::filesystem::exists(roster_->pin_directory())) ROSTER_EXPECT_OK(roster_->Uninstall());
    std::error_code ignored;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(pins, ignored)) {
      EXPECT_TRUE(entry.is_directory()) << "left after uninstall: " << entry.path();
    }
    roster_.reset();
    const std::string directory = workspace_->directory();
    workspace_.reset();
    EXPECT_THAT(FindLeftovers(directory), ::testing::IsEmpty());
  }

  // Brings up the engine, then the daemon, then the observer; `before_` is what the pins held when
  // the daemon was up, to which they have come back.
  void StartAll(EngineKind kind, const std::vector<std::string>& daemon_options = {}) {
    ASSERT_TRUE(IsInstalled(kind)) << EngineName(kind) << " is not installed";
    engine_ = MakeEngine(kind, *workspace_);
    ROSTER_ASSERT_OK(engine_->Start());
    ROSTER_ASSERT_OK(roster_->Start(daemon_options));
    auto before = roster_->ReadPins();
    ROSTER_ASSERT_OK(before);
    before_ = *before;
    if (kind == EngineKind::kYouki || kind == EngineKind::kRunsc) {
      ROSTER_ASSERT_OK(LearnRuntime(static_cast<OciEngine*>(engine_.get()), *roster_));
    }
    Observe(Observer::Kind::kHeader);
    // What the daemon opens once and keeps, such as its connection to the engine, is no leak.
    auto warm = StartContainers(engine_.get(), StartMode::kRun, 1, 1, "warm-up", kMarkers - 1,
                                kind == EngineKind::kRunsc ? nullptr : observer_.get());
    ROSTER_ASSERT_OK(warm);
    ROSTER_ASSERT_OK(RemoveContainers(engine_.get(), *warm, 1));
    ROSTER_ASSERT_OK(roster_->AwaitList("the end of the warm-up", In(absl::Seconds(5)),
                                        [](const auto& list) { return list.empty(); }));
    // It leaves the list when its init has ended, and its slot when its last process has.
    ROSTER_ASSERT_OK(roster_->AwaitNothingMoreThan(before_, In(absl::Seconds(10))));
    files_before_ = roster_->OpenFiles();
    marks_before_ = roster_->MarkCount();
  }

  void Observe(Observer::Kind kind) {
    auto observer = Observer::Attach(kind, roster_->pin_directory());
    ROSTER_ASSERT_OK(observer);
    observer_ = *std::move(observer);
  }

  // Pins, slots, records, and of the daemon descriptors and marks: as before_ and its companions
  // say.
  void ExpectNothingLeft() {
    ROSTER_EXPECT_OK(roster_->AwaitNothingMoreThan(before_, In(absl::Seconds(10))));
    ROSTER_EXPECT_OK(roster_->AwaitList("an empty list", In(absl::Seconds(5)),
                                        [](const auto& list) { return list.empty(); }));
    if (!roster_->running()) return;
    // A connection that has just been closed at its other end may take a moment.
    Ticker ticker(absl::Milliseconds(20));
    absl::Status closed =
        WaitUntil("the daemon to close what it opened", {ticker.fd()}, In(absl::Seconds(5)), [&] {
          ticker.Take();
          return roster_->OpenFiles().size() <= files_before_.size();
        });
    EXPECT_TRUE(closed.ok()) << closed << ::testing::PrintToString(files_before_) << " and now "
                             << ::testing::PrintToString(roster_->OpenFiles());
    EXPECT_LE(roster_->MarkCount(), marks_before_);
  }

  std::unique_ptr<RosterUnderTest> roster_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Observer> observer_;
  PinState before_;
  std::vector<std::string> files_before_;
  size_t marks_before_ = 0;
};

}  // namespace roster::testing

#endif  // ROSTER_TESTS_INTEGRATION_ROSTER_TEST_BASE_H_

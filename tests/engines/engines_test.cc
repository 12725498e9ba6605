// Each engine starts containers here and leaves nothing behind: what the integration tests stand
// on.
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engines/command.h"
#include "engines/engine.h"
#include "engines/host_state.h"
#include "engines/image.h"
#include "engines/wait.h"
#include "engines/workspace_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace roster::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::string CommOf(pid_t pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/comm"));
  std::string comm;
  std::getline(file, comm);
  return comm;
}

std::string CgroupsOf(pid_t pid) { return ReadKernelFile(absl::StrCat("/proc/", pid, "/cgroup")); }

// A bare runtime returns when the init has been let go, which is before its exec.
void ExpectComm(pid_t pid, const std::string& comm) {
  Ticker ticker(absl::Milliseconds(2));
  absl::Status waited = WaitUntil("the init's exec", {ticker.fd()}, In(absl::Seconds(5)), [&] {
    ticker.Take();
    return CommOf(pid) == comm;
  });
  EXPECT_TRUE(waited.ok()) << waited << ": it is " << CommOf(pid);
}

class Engines : public WorkspaceTest, public ::testing::WithParamInterface<EngineKind> {
 protected:
  void SetUp() override {
    if (!IsInstalled(GetParam())) GTEST_SKIP() << EngineName(GetParam()) << " is not installed";
    WorkspaceTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    engine_ = MakeEngine(GetParam(), *workspace_);
    absl::Status started = engine_->Start();
    ASSERT_TRUE(started.ok()) << started;
  }

  void TearDown() override {
    if (workspace_ == nullptr) return;
    const std::string directory = workspace_->directory();
    absl::Status stopped = engine_->Stop();
    EXPECT_TRUE(stopped.ok()) << stopped;
    engine_.reset();
    workspace_.reset();
    EXPECT_THAT(FindLeftovers(directory), IsEmpty());
  }

  std::unique_ptr<Engine> engine_;
};

TEST_P(Engines, TwentyStartsEachRunTheirOwnMarker) {
  for (int i = 0; i < 20; ++i) {
    std::string name = absl::StrCat("c", i);
    auto id = engine_->Run({name, {MarkerPath(i), "wait"}});
    ASSERT_TRUE(id.ok()) << id.status();
    auto pid = engine_->Pid(name);
    ASSERT_TRUE(pid.ok()) << pid.status();
    ExpectComm(*pid, absl::StrCat("rc", i));
    // What the sweep looks for.
    EXPECT_THAT(CgroupsOf(*pid), ::testing::HasSubstr(workspace_->unique_name()));
    auto names = engine_->ListOwn();
    ASSERT_TRUE(names.ok()) << names.status();
    EXPECT_THAT(*names, ElementsAre(name));
    absl::Status removed = engine_->Remove(name);
    EXPECT_TRUE(removed.ok()) << removed;
  }
  auto names = engine_->ListOwn();
  ASSERT_TRUE(names.ok()) << names.status();
  EXPECT_THAT(*names, IsEmpty());
}

TEST_P(Engines, CreatedContainerRunsNothingBeforeItsStart) {
  auto id = engine_->Create({"one", {MarkerPath(5), "wait"}});
  ASSERT_TRUE(id.ok()) << id.status();
  if (auto pid = engine_->Pid("one"); pid.ok()) {
    EXPECT_NE(CommOf(*pid), "rc5");
  }
  absl::Status started = engine_->StartCreated("one");
  ASSERT_TRUE(started.ok()) << started;
  auto pid = engine_->Pid("one");
  ASSERT_TRUE(pid.ok()) << pid.status();
  ExpectComm(*pid, "rc5");
}

TEST_P(Engines, EightStartsAtOnceAllRun) {
  std::vector<absl::Status> results(8);
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      results[i] = engine_->Run({absl::StrCat("c", i), {MarkerPath(i), "wait"}}).status();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& result : results) EXPECT_TRUE(result.ok()) << result;
  auto names = engine_->ListOwn();
  ASSERT_TRUE(names.ok()) << names.status();
  EXPECT_THAT(*names, UnorderedElementsAre("c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7"));
  // Left for Stop to remove.
}

TEST_P(Engines, ExecAndKillReachTheContainer) {
  auto id = engine_->Run({"one", {MarkerPath(1), "wait"}});
  ASSERT_TRUE(id.ok()) << id.status();
  auto code = engine_->Exec("one", {MarkerPath(2), "exit", "7"});
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_EQ(*code, 7);
  auto pid = engine_->Pid("one");
  ASSERT_TRUE(pid.ok()) << pid.status();
  Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0)));
  ASSERT_TRUE(pidfd.valid());
  absl::Status killed = engine_->Kill("one", SIGTERM);
  ASSERT_TRUE(killed.ok()) << killed;
  EXPECT_TRUE(WaitAny("end of the init", {pidfd.get()}, In(absl::Seconds(10))).ok());
}

TEST_P(Engines, GuardSweepsWhatAKilledTestLeaves) {
  // The sweep alone, without Stop: what the guard does when the test's process has died.
  auto id = engine_->Run({"one", {MarkerPath(1), "wait"}});
  ASSERT_TRUE(id.ok()) << id.status();
  const std::string directory = workspace_->directory();
  EXPECT_THAT(FindLeftovers(directory), ::testing::Not(IsEmpty()));
  engine_.reset();
  workspace_.reset();  // closes the guard's pipe, as the death of this process would
  EXPECT_THAT(FindLeftovers(directory), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(All, Engines, ::testing::ValuesIn(kAllEngines),
                         [](const auto& info) { return EngineName(info.param); });

TEST(Command, OutputOfAContainerThatOutlivesItsCommandDoesNotBlock) {
  auto result = RunCommand({"sh", "-c", "sleep 5 & echo started"});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->out, "started\n");
}

TEST(Command, RunningPastTheTimeoutIsAnErrorThatNamesTheCommand) {
  CommandOptions options;
  options.timeout = absl::Milliseconds(50);
  auto result = RunCommand({"sleep", "1000"}, options);
  EXPECT_EQ(result.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(absl::StrContains(result.status().message(), "sleep 1000"));
}

TEST(Command, ExitCodeAndSignalAreTold) {
  EXPECT_EQ(RunCommand({"sh", "-c", "exit 3"})->exit_code, 3);
  EXPECT_EQ(RunCommand({"sh", "-c", "kill -9 $$"})->exit_code, 137);
  EXPECT_EQ(RunCommand({"/no/such/program"}).status().code(), absl::StatusCode::kNotFound);
}

TEST(Wait, ConditionThatNeverHoldsEndsAtTheDeadline) {
  Ticker ticker(absl::Milliseconds(1));
  absl::Status waited =
      WaitUntil("nothing", {ticker.fd()}, absl::Now() + absl::Milliseconds(30), [&] {
        ticker.Take();
        return false;
      });
  EXPECT_EQ(waited.code(), absl::StatusCode::kDeadlineExceeded);
}

TEST(Wait, WakerThatIsAlwaysReadableDoesNotCarryItPastTheDeadline) {
  Fd always(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  absl::Status waited = WaitUntil("nothing", {always.get()}, absl::Now() + absl::Milliseconds(30),
                                  [] { return false; });
  EXPECT_EQ(waited.code(), absl::StatusCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace roster::testing

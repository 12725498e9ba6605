// gVisor's containers. Their processes' system calls end in the sandbox and never reach the host's
// kernel, so that no tracer sees a first one, and the observer cannot judge. What the host does see
// is the sandbox, and that is judged: before the guest is started it, and the gofer beside it, lead
// to the container.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "engines/command.h"
#include "engines/fetched.h"
#include "engines/host_state.h"
#include "engines/oci_engine.h"
#include "integration/roster_test_base.h"
#include "kernel/errors.h"

namespace roster::testing {
namespace {

constexpr char kNotFetched[] = "runsc is not fetched (scripts/fetch-runsc)";

// The directory of the state that runsc keeps of `name` in `root`: there alone the gofer is named.
absl::StatusOr<pid_t> GoferPid(const std::string& root, const std::string& name) {
  const std::string path = absl::StrCat(root, "/", name, "_sandbox:", name, ".state");
  std::ifstream file(path);
  const nlohmann::json state = nlohmann::json::parse(file, nullptr, false);
  if (!state.is_object() || !state.contains("goferPid")) {
    return absl::NotFoundError(absl::StrCat("gofer's pid in ", path));
  }
  return state["goferPid"].get<pid_t>();
}

std::string Mntns(pid_t pid) {
  std::error_code ignored;
  const std::string link =
      std::filesystem::read_symlink(absl::StrCat("/proc/", pid, "/ns/mnt"), ignored);
  absl::string_view inode = link;
  absl::ConsumePrefix(&inode, "mnt:[");
  absl::ConsumeSuffix(&inode, "]");
  return std::string(inode);
}

class SandboxTest : public RosterTestBase {
 protected:
  // What `roster lookup` finds in the pins, now.
  absl::StatusOr<nlohmann::json> LookUp(const std::string& by, const std::string& value) const {
    ROSTER_ASSIGN_OR_RETURN(const std::string text,
                            RunForOutput({RosterUnderTest::Program(), "lookup", by, value,
                                          "--pin-dir", roster_->pin_directory(), "-o", "json"}));
    nlohmann::json found = nlohmann::json::parse(text, nullptr, false);
    if (found.is_array() && found.size() == 1) found = found[0];
    if (!found.is_object()) return absl::InternalError(absl::StrCat("lookup said ", text));
    return found;
  }

  // That its sandbox and its gofer lead to the container `name`, and its record to the sandbox.
  absl::Status Judge(OciEngine* engine, const std::string& root, const std::string& name) const {
    ROSTER_ASSIGN_OR_RETURN(const pid_t sandbox, engine->Pid(name));
    ROSTER_ASSIGN_OR_RETURN(const pid_t gofer, GoferPid(root, name));
    for (const auto& [by, value] :
         {std::pair<std::string, std::string>{"--pid", absl::StrCat(sandbox)},
          {"--mntns", Mntns(sandbox)},
          {"--pid", absl::StrCat(gofer)}}) {
      ROSTER_ASSIGN_OR_RETURN(const nlohmann::json found, LookUp(by, value));
      if (TextField(found, "runtime", "containerId") != name ||
          found["runtime"].value("containerPid", 0) != sandbox) {
        return absl::InternalError(absl::StrCat(name, " with sandbox ", sandbox, " and gofer ",
                                                gofer, " by ", by, " ", value, ": ", found.dump()));
      }
    }
    return absl::OkStatus();
  }
};

using Way = std::tuple<StartMode, int /* at once */>;

std::string WayName(const ::testing::TestParamInfo<Way>& info) {
  auto [mode, at_once] = info.param;
  return absl::StrCat("runsc", mode == StartMode::kRun ? "_run" : "_create_start",
                      at_once == 1 ? "" : absl::StrCat("_", at_once, "_at_once"));
}

class SandboxStarts : public SandboxTest, public ::testing::WithParamInterface<Way> {
 protected:
  absl::Status StartAndJudge(StartMode mode, const std::string& name) const {
    auto* engine = static_cast<OciEngine*>(engine_.get());
    const ContainerSpec spec{name, {MarkerPath(0), "wait"}};
    ROSTER_RETURN_IF_ERROR(
        (mode == StartMode::kRun ? engine->Run(spec) : engine->Create(spec)).status());
    ROSTER_RETURN_IF_ERROR(Judge(engine, engine->StateDirectory(), name));
    return mode == StartMode::kRun ? absl::OkStatus() : engine->StartCreated(name);
  }
};

TEST_P(SandboxStarts, SandboxAndGoferLeadToItWhenItIsMadeAndNotAtAFirstSystemCall) {
  if (!IsInstalled(EngineKind::kRunsc)) GTEST_SKIP() << kNotFetched;
  auto [mode, at_once] = GetParam();
  StartAll(EngineKind::kRunsc);
  if (HasFatalFailure()) return;
  const int count = StartCount();
  for (int begin = 0; begin < count; begin += at_once) {
    const int size = std::min(at_once, count - begin);
    std::vector<std::string> names(size);
    std::vector<absl::Status> results(size);
    std::vector<std::thread> threads;
    for (int i = 0; i < size; ++i) {
      names[i] = absl::StrCat(workspace_->unique_name(), "-", begin + i);
      threads.emplace_back([&, i, mode = mode] { results[i] = StartAndJudge(mode, names[i]); });
    }
    for (std::thread& thread : threads) thread.join();
    for (const absl::Status& result : results) ROSTER_EXPECT_OK(result);
    ROSTER_EXPECT_OK(roster_->AwaitList(
        "each of them, and none beside", In(absl::Seconds(5)), [&](const auto& list) {
          return list.size() == names.size() &&
                 std::all_of(names.begin(), names.end(),
                             [&](const auto& name) { return list.contains(name); });
        }));
    // The list has one line for one id; a gofer that is taken for a container has a slot.
    const auto pins = roster_->ReadPins();
    ROSTER_ASSERT_OK(pins);
    EXPECT_EQ(pins->slots.size(), before_.slots.size() + names.size())
        << ::testing::PrintToString(pins->slots);
    if (begin == 0) {
      const absl::StatusOr<int> code = engine_->Exec(names[0], {MarkerPath(1), "exit", "3"});
      ROSTER_EXPECT_OK(code);
      EXPECT_EQ(code.value_or(-1), 3);
    }
    for (const std::string& name : names) ROSTER_EXPECT_OK(engine_->Remove(name));
    // The next round counts slots.
    ROSTER_EXPECT_OK(roster_->AwaitNothingMoreThan(before_, In(absl::Seconds(10))));
  }
  ExpectNothingLeft();
}

INSTANTIATE_TEST_SUITE_P(All, SandboxStarts,
                         ::testing::Combine(::testing::Values(StartMode::kRun,
                                                              StartMode::kCreateAndStart),
                                            ::testing::Values(1, 8)),
                         WayName);

using SandboxAdoption = SandboxTest;

TEST_F(SandboxAdoption, OneThatRunsIsFoundAndItsGoferIsNone) {
  if (!IsInstalled(EngineKind::kRunsc)) GTEST_SKIP() << kNotFetched;
  auto engine = std::make_unique<OciEngine>(FetchedDirectory(kFetchedRunsc) + "/runsc", *workspace_,
                                            OciEngine::States::kDefault);
  OciEngine* runsc = engine.get();
  engine_ = std::move(engine);
  ROSTER_ASSERT_OK(runsc->Start());
  const std::string name = workspace_->unique_name() + "-old";
  ROSTER_ASSERT_OK(runsc->Run({name, {MarkerPath(0), "wait"}}));
  ROSTER_ASSERT_OK(roster_->Start());
  ROSTER_EXPECT_OK(roster_->AwaitList("the container", In(absl::Seconds(5)), [&](const auto& list) {
    return list.size() == 1 && list.contains(name);
  }));
  const absl::StatusOr<pid_t> sandbox = runsc->Pid(name);
  ROSTER_ASSERT_OK(sandbox);
  const auto found = LookUp("--pid", absl::StrCat(*sandbox));
  ROSTER_ASSERT_OK(found);
  EXPECT_EQ(TextField(*found, "runtime", "containerId"), name);
  const auto pins = roster_->ReadPins();
  ROSTER_ASSERT_OK(pins);
  EXPECT_EQ(pins->slots.size(), 1U) << ::testing::PrintToString(pins->slots);
  ROSTER_EXPECT_OK(runsc->Remove(name));
  ROSTER_EXPECT_OK(roster_->AwaitNothingMoreThan({}, In(absl::Seconds(10))));
}

}  // namespace
}  // namespace roster::testing

// BadInput is what the tests of hostile input to the live daemon have in common: each thing that a
// runtime, or somebody who plays one, can hand to it ends in a log line that names it, no runtime
// is refused or held past the deadline, and the next good container is right.
#ifndef ROSTER_TESTS_INTEGRATION_BAD_INPUT_H_
#define ROSTER_TESTS_INTEGRATION_BAD_INPUT_H_

#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engines/command.h"
#include "engines/image.h"
#include "engines/oci_bundle.h"
#include "engines/oci_engine.h"
#include "gtest/gtest.h"
#include "integration/judge.h"
#include "integration/roster_test_base.h"

namespace roster::testing {

inline void Write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

class BadInput : public RosterTestBase {
 protected:
  void SetUp() override {
    RosterTestBase::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    StartAll(EngineKind::kRunc);
    if (HasFatalFailure()) return;
    runc_ = static_cast<OciEngine*>(engine_.get());
  }

  // The runtime's own verdict on `arguments`, and how long it took.
  absl::StatusOr<CommandResult> Runc(const std::vector<std::string>& arguments,
                                     absl::Duration* took = nullptr) {
    const absl::Time begin = absl::Now();
    auto result = RunCommand(runc_->CommandLine(arguments));
    if (took != nullptr) *took = absl::Now() - begin;
    return result;
  }

  // A container like any other is still found under its own name.
  void ExpectAGoodContainerIsRight() {
    static int number = 0;
    const int marker = 500 + number++ % 100;
    auto containers = StartContainers(engine_.get(), StartMode::kRun, 1, 1,
                                      absl::StrCat("good", marker, "-"), marker, observer_.get());
    ROSTER_ASSERT_OK(containers);
    Verdict verdict = Decide(*containers);
    EXPECT_EQ(verdict.by_task.right, 1) << ToText(verdict);
    EXPECT_EQ(verdict.by_mntns.right, 1) << ToText(verdict);
    EXPECT_EQ(verdict.by_cgroup.right, 1) << ToText(verdict);
    ROSTER_ASSERT_OK(RemoveContainers(engine_.get(), *containers, 1));
  }

  std::string MakeBundleDirectory(const std::string& name) {
    return workspace_->MakeDirectory("bad/" + name);
  }
  // A bundle that runs `marker`, as runc wants it, with `change` applied.
  std::string GoodBundle(const std::string& name, int marker,
                         const std::function<void(nlohmann::json*)>& change = nullptr) {
    nlohmann::json config = OciConfig({name.substr(0, 60), {MarkerPath(marker), "wait"}},
                                      runc_->rootfs(), runc_->CgroupsPath(name.substr(0, 60)));
    if (change) change(&config);
    std::string bundle = MakeBundleDirectory(name.substr(0, 60));
    EXPECT_TRUE(WriteBundle(bundle, config).ok());
    return bundle;
  }

  OciEngine* runc_ = nullptr;
};

}  // namespace roster::testing

#endif  // ROSTER_TESTS_INTEGRATION_BAD_INPUT_H_

// BadInput is what the tests of hostile input to the live daemon have in common: each thing that a
// runtime, or somebody who plays one, can hand to it ends in a log line that names it, no runtime
// is refused or held past the deadline, and the next good container is right.
#ifndef ROSTER_TESTS_INTEGRATION_BAD_INPUT_H_
#define ROSTER_TESTS_INTEGRATION_BAD_INPUT_H_

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engines/command.h"
#include "engines/image.h"
#include "engines/oci_bundle.h"
#include "engines/oci_engine.h"
#include "gtest/gtest.h"
#include "integration/exec_times.h"
#include "integration/judge.h"
#include "integration/lateness.h"
#include "integration/roster_test_base.h"
#include "kernel/clock.h"
#include "kernel/fd.h"

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
    auto times = ExecTimes::Attach();
    ROSTER_ASSERT_OK(times);
    times_ = *std::move(times);
  }

  // The runtime's own verdict on `arguments`. None of its execs was held past the deadline.
  absl::StatusOr<CommandResult> Runc(const std::vector<std::string>& arguments) {
    EXPECT_TRUE(times_->Take().ok());
    auto result = RunCommand(runc_->CommandLine(arguments));
    auto execs = times_->Take();
    EXPECT_TRUE(execs.ok()) << execs.status();
    if (execs.ok()) {
      for (const ExecTime& exec : *execs) ExpectNotHeldLonger("exec", exec.start_ns, exec.took);
    }
    return result;
  }

  // What one read(2) of the file gives, which is what an engine does between create and start;
  // `error` is its errno. It was not held past the deadline.
  std::string ReadOnce(const std::string& path, int* error) {
    std::string text(2 << 20, '\0');
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    const uint64_t begin = MonotonicNs();
    const ssize_t size = ::read(file.get(), text.data(), text.size());
    *error = size < 0 ? errno : 0;
    ExpectNotHeldLonger("read of " + path, begin,
                        absl::Nanoseconds(static_cast<int64_t>(MonotonicNs() - begin)));
    text.resize(size < 0 ? 0 : static_cast<size_t>(size));
    return text;
  }

  // The deadline, what the call takes by itself, and, for the keeper that reads the event, for its
  // timer and for who is held, how late this machine woke a sleeper at about that time.
  void ExpectNotHeldLonger(const std::string& what, uint64_t begin_ns, absl::Duration took) {
    constexpr uint64_t kAround = 1'000'000'000;
    const absl::Duration late = lateness_.WorstBetween(begin_ns - kAround, MonotonicNs());
    EXPECT_LE(took, (kDeadline + kUnheld) * TimeScale() + 3 * late)
        << what << "; the worst wake-up came " << late << " late";
  }

  // A container like any other is still found under its own name.
  void ExpectAGoodContainerIsRight() {
    static int number = 0;
    const int marker = 500 + number++ % 100;
    auto containers = StartContainers(engine_.get(), StartMode::kRun, 1, 1,
                                      absl::StrCat("good", marker, "-"), marker, observer_.get());
    ROSTER_ASSERT_OK(containers);
    Verdict verdict = Decide(*containers);
    for (const Tally& tally : {verdict.by_task, verdict.by_mntns, verdict.by_cgroup}) {
      EXPECT_EQ(tally.right, 1) << ToText(verdict);
    }
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

  static constexpr absl::Duration kDeadline = absl::Milliseconds(100);  // the daemon's default
  static constexpr absl::Duration kUnheld = absl::Milliseconds(20);

  OciEngine* runc_ = nullptr;
  std::unique_ptr<ExecTimes> times_;
  Lateness lateness_;
};

}  // namespace roster::testing

#endif  // ROSTER_TESTS_INTEGRATION_BAD_INPUT_H_

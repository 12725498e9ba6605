// A container's start as the kernel hook alone sees it: announced by a held exec or by nobody.
#include <linux/magic.h>
#include <signal.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "absl/strings/str_cat.h"
#include "engines/oci_bundle.h"
#include "engines/oci_engine.h"
#include "integration/kernel_hook_fixture.h"

namespace roster::testing {
namespace {

// As the kernel has it: 0, unknown, on overlayfs, where stat's number is another one.
uint64_t ExecutableInode(const OciEngine& engine) {
  const std::string path = absl::StrCat("/usr/bin/", engine.Name());
  struct statfs info {};
  if (::statfs(path.c_str(), &info) != 0 || info.f_type == OVERLAYFS_SUPER_MAGIC) return 0;
  return InodeOf(path);
}

// What every engine's containers get when nobody announces them.
class Unannounced : public KernelHookTest, public ::testing::WithParamInterface<EngineKind> {};

TEST_P(Unannounced, ContainersAreProvisionalFromTheirFirstSystemCallAndLeaveNothing) {
  auto engine = MakeEngine(GetParam(), *workspace_);
  ROSTER_ASSERT_OK(engine->Start());
  for (int at_once : {1, 8}) {
    const int count = StartCount();
    auto containers =
        StartContainers(engine.get(), StartMode::kRun, count, at_once,
                        absl::StrCat("c", at_once, "-"), 100 * at_once, observer_.get());
    ROSTER_ASSERT_OK(containers);
    Verdict verdict = Decide(*containers);
    std::cout << "  " << ToText({verdict.by_task, verdict.by_mntns, verdict.by_cgroup, {}}) << "\n";
    EXPECT_EQ(verdict.by_task.unnamed, count) << ToText(verdict);
    EXPECT_EQ(verdict.by_mntns.unnamed, count) << ToText(verdict);
    EXPECT_EQ(verdict.by_cgroup.unnamed, count) << ToText(verdict);
    ROSTER_ASSERT_OK(RemoveContainers(engine.get(), *containers, at_once));
    ROSTER_EXPECT_OK(roster_->AwaitNothingMoreThan(before_, In(absl::Seconds(5))));
  }
  ROSTER_EXPECT_OK(engine->Stop());
}

INSTANTIATE_TEST_SUITE_P(All, Unannounced, ::testing::ValuesIn(kAllEngines),
                         [](const auto& info) { return EngineName(info.param); });

class Announced : public KernelHookTest, public ::testing::WithParamInterface<EngineKind> {};

TEST_P(Announced, InitTakesTheHandleThatItsRuntimeWasArmedWith) {
  OciEngine engine(EngineName(GetParam()), *workspace_);
  ROSTER_ASSERT_OK(engine.Start());
  const int count = StartCount();
  int right = 0;
  for (int i = 0; i < count; ++i) {
    const std::string name = absl::StrCat("c", i);
    const std::string bundle = engine.BundleOf(name);
    ROSTER_ASSERT_OK(WriteBundle(bundle, OciConfig({name, {MarkerPath(i), "wait"}}, engine.rootfs(),
                                                   engine.CgroupsPath(name))));
    Held held = Hold(engine.CommandLine({"run", "--detach", "--bundle", bundle, name}));
    // Every other one as userspace arms a runtime on overlayfs.
    auto handle = hook_->Arm(held.pid, 1000 + i, name, i % 2 == 0 ? 0 : ExecutableInode(engine));
    ROSTER_ASSERT_OK(handle);
    ASSERT_EQ(LetGo(std::move(held)), 0);
    auto call = observer_->Await(i, In(absl::Seconds(10)));
    ROSTER_ASSERT_OK(call);
    for (const Found* found : {&call->by_task, &call->by_mntns, &call->by_cgroup}) {
      EXPECT_EQ(found->handle, *handle);
      EXPECT_EQ(found->id, name);
      right += found->id == name;
    }
    ROSTER_ASSERT_OK(engine.Remove(name));
  }
  std::cout << "  " << right << " of " << 3 * count << " right\n";
  // Records are userspace's to remove.
  PinState before = before_;
  auto now = roster_->ReadPins();
  ROSTER_ASSERT_OK(now);
  before.records = now->records;
  ROSTER_EXPECT_OK(roster_->AwaitNothingMoreThan(before, In(absl::Seconds(5))));
}

TEST_P(Announced, RuntimeThatMakesNoContainerGivesTheSlotBack) {
  OciEngine engine(EngineName(GetParam()), *workspace_);
  ROSTER_ASSERT_OK(engine.Start());
  const std::string bundle = workspace_->MakeDirectory("empty-bundle");
  const std::vector<std::vector<std::string>> lines = {
      {"create", "--bundle", bundle, "x"}, {"run", "--no-such-option"}, {"--version"}, {"run"}};
  for (size_t i = 0; i < lines.size(); ++i) {
    Held held = Hold(engine.CommandLine(lines[i]));
    ROSTER_ASSERT_OK(hook_->Arm(held.pid, 2000 + i, "x", ExecutableInode(engine)));
    LetGo(std::move(held));
  }
  // Killed before its exec, too.
  Held held = Hold(engine.CommandLine({"run"}));
  ROSTER_ASSERT_OK(hook_->Arm(held.pid, 2100, "x", ExecutableInode(engine)));
  ::kill(held.pid, SIGKILL);
  ::waitpid(held.pid, nullptr, 0);
  PinState before = before_;
  auto now = roster_->ReadPins();
  ROSTER_ASSERT_OK(now);
  before.records = now->records;
  ROSTER_EXPECT_OK(roster_->AwaitNothingMoreThan(before, In(absl::Seconds(5))));
}

INSTANTIATE_TEST_SUITE_P(All, Announced, ::testing::Values(EngineKind::kRunc, EngineKind::kCrun),
                         [](const auto& info) { return EngineName(info.param); });

}  // namespace
}  // namespace roster::testing

// Who belongs to a container, and what one may have, by the kernel hook alone.
#include <signal.h>
#include <sys/stat.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "engines/oci_bundle.h"
#include "engines/oci_engine.h"
#include "integration/kernel_hook_fixture.h"
#include "kernel/shared_field.h"
#include "process/cgroup_id.h"
#include "process/proc_task.h"

namespace roster::testing {
namespace {

// Entering is not belonging, and an unprivileged user makes nobody believe in a container.
TEST_F(KernelHookTest, NamespacesThatAreNoContainersAreNotEntered) {
  const std::vector<std::vector<std::string>> lines = {
      {"unshare", "-m", "true"},
      {"unshare", "-pf", "true"},
      {"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "unshare", "-Umpf",
       "--mount-proc", "true"},
  };
  for (const auto& line : lines) {
    ROSTER_ASSERT_OK(RunCommand(line));
    EXPECT_EQ(Counted(ROSTER_STAT_PROVISIONAL), 0u) << line[1];
  }
  ROSTER_EXPECT_OK(roster_->AwaitNothingMoreThan(before_, In(absl::Seconds(5))));
}

TEST_F(KernelHookTest, ExecIntoAContainerBelongsToItAndNsenterOnlyFindsIt) {
  OciEngine engine("runc", *workspace_);
  ROSTER_ASSERT_OK(engine.Start());
  ROSTER_ASSERT_OK(engine.Run({"one", {MarkerPath(1), "wait"}}));
  auto init = observer_->Await(1, In(absl::Seconds(10)));
  ROSTER_ASSERT_OK(init);
  ROSTER_ASSERT_OK(engine.Exec("one", {MarkerPath(2), "exit"}));
  auto joined = observer_->Await(2, In(absl::Seconds(10)));
  ROSTER_ASSERT_OK(joined);
  EXPECT_EQ(joined->by_task.handle, init->by_task.handle);
  EXPECT_EQ(joined->by_mntns.handle, init->by_task.handle);
  auto entered =
      RunCommand({"nsenter", "-t", std::to_string(init->pid), "-m", MarkerPath(3), "exit"});
  ROSTER_ASSERT_OK(entered);
  EXPECT_EQ(entered->exit_code, 0) << entered->err;
  auto visitor = observer_->Await(3, In(absl::Seconds(10)));
  ROSTER_ASSERT_OK(visitor);
  EXPECT_EQ(visitor->by_task.handle, 0u) << "it has the namespace but not the lineage";
  EXPECT_EQ(visitor->by_mntns.handle, init->by_task.handle);
  ROSTER_ASSERT_OK(engine.Remove("one"));
  ROSTER_EXPECT_OK(roster_->AwaitNothingMoreThan(before_, In(absl::Seconds(5))));
}

// A container that makes cgroups or tasks without end loses its own, not others theirs.
TEST_F(KernelHookTest, OneContainerHasItsPartOfTheMapsAndNoMore) {
  OciEngine engine("crun", *workspace_);
  ROSTER_ASSERT_OK(engine.Start());
  ROSTER_ASSERT_OK(engine.Run({"bomber", {"/bin/sh", "-c", "while :; do /bin/sleep 0.02; done"}}));
  auto pid = engine.Pid("bomber");
  ROSTER_ASSERT_OK(pid);
  auto task = ProcTask::Open(*pid);
  ROSTER_ASSERT_OK(task);
  auto cgroups = task->Cgroups();
  ROSTER_ASSERT_OK(cgroups);
  const auto hierarchy = CgroupMount();
  ROSTER_ASSERT_OK(hierarchy);
  const std::string directory = hierarchy->mount + (hierarchy->v2 ? cgroups->v2 : cgroups->v1);
  auto pins = roster_->ReadPins();
  ROSTER_ASSERT_OK(pins);
  ASSERT_TRUE(pins->cgroups.contains(InodeOf(directory))) << directory;
  auto births = hook_->Births();
  ROSTER_ASSERT_OK(births);
  roster_birth& birth = (*births)[ROSTER_HANDLE_SLOT(pins->cgroups[InodeOf(directory)])];
  const auto make = [&](const std::string& name) {
    EXPECT_EQ(::mkdir((directory + "/" + name).c_str(), 0755), 0);
    auto now = roster_->ReadPins();
    return now.ok() && now->cgroups.contains(InodeOf(directory + "/" + name));
  };

  EXPECT_TRUE(make("first"));
  EXPECT_EQ(LoadField(birth.ncgroups), 1u);
  StoreField(birth.ncgroups, ROSTER_MAX_CHILD_CGROUPS);
  EXPECT_FALSE(make("too-many"));
  EXPECT_EQ(Counted(ROSTER_STAT_CGROUPS_BOUND), 1u);
  EXPECT_EQ(::rmdir((directory + "/first").c_str()), 0);
  EXPECT_TRUE(make("in-its-place"));
  StoreField(birth.ncgroups, 1);
  EXPECT_EQ(::rmdir((directory + "/too-many").c_str()), 0);
  EXPECT_EQ(::rmdir((directory + "/in-its-place").c_str()), 0);
  EXPECT_EQ(LoadField(birth.ncgroups), 0u);

  AddField(birth.ntasks, ROSTER_MAX_MEMBER_TASKS);
  Ticker ticker(absl::Milliseconds(10));
  ROSTER_EXPECT_OK(
      WaitUntil("forks and execs beyond the bound", {ticker.fd()}, In(absl::Seconds(5)), [&] {
        ticker.Take();
        return Counted(ROSTER_STAT_TASKS_BOUND) >= 4;
      }));
  EXPECT_EQ(Counted(ROSTER_STAT_JOINED), 0u) << "its exec brings no refused task back";
  AddField(birth.ntasks, -ROSTER_MAX_MEMBER_TASKS);
  ROSTER_ASSERT_OK(engine.Remove("bomber"));
  ROSTER_EXPECT_OK(roster_->AwaitNothingMoreThan(before_, In(absl::Seconds(5))));
}

TEST_F(KernelHookTest, ASharedNetworkNamespaceLeadsToWhoIsLeftWithoutADaemonToo) {
  OciEngine engine("runc", *workspace_);
  ROSTER_ASSERT_OK(engine.Start());
  ROSTER_ASSERT_OK(engine.Run({"one", {MarkerPath(1), "wait"}}));
  auto one = observer_->Await(1, In(absl::Seconds(10)));
  ROSTER_ASSERT_OK(one);
  auto pid = engine.Pid("one");
  ROSTER_ASSERT_OK(pid);
  const std::string path = absl::StrCat("/proc/", *pid, "/ns/net");
  const uint64_t netns = InodeOf(path);
  const std::string bundle = engine.BundleOf("two");
  nlohmann::json config =
      OciConfig({"two", {MarkerPath(2), "wait"}}, engine.rootfs(), engine.CgroupsPath("two"));
  for (nlohmann::json& space : config["linux"]["namespaces"]) {
    if (space["type"] == "network") space["path"] = path;
  }
  ROSTER_ASSERT_OK(WriteBundle(bundle, config));
  ASSERT_EQ(LetGo(Hold(engine.CommandLine({"run", "--detach", "--bundle", bundle, "two"}))), 0);
  auto two = observer_->Await(2, In(absl::Seconds(10)));
  ROSTER_ASSERT_OK(two);
  auto pins = roster_->ReadPins();
  ROSTER_ASSERT_OK(pins);
  EXPECT_EQ(pins->netns[netns], one->by_task.handle);
  ROSTER_ASSERT_OK(engine.Remove("one"));
  Ticker ticker(absl::Milliseconds(20));
  absl::Status freed =
      WaitUntil("the first to be freed", {ticker.fd()}, In(absl::Seconds(10)), [&] {
        ticker.Take();
        pins = roster_->ReadPins();
        return pins.ok() && !pins->slots.contains(one->by_task.handle);
      });
  ROSTER_ASSERT_OK(freed);
  EXPECT_EQ(pins->netns[netns], two->by_task.handle);
  ROSTER_ASSERT_OK(engine.Remove("two"));
  ROSTER_EXPECT_OK(roster_->AwaitNothingMoreThan(before_, In(absl::Seconds(5))));
}

// What was armed for an exec is another container's of the same id: the task is a member of the one
// it has entered.
TEST_F(KernelHookTest, AnExecIntoTheTwinOfWhatItWasArmedForBelongsToTheTwin) {
  OciEngine engine("runc", *workspace_);
  ROSTER_ASSERT_OK(engine.Start());
  ROSTER_ASSERT_OK(engine.Run({"one", {MarkerPath(1), "wait"}}));
  ROSTER_ASSERT_OK(engine.Run({"two", {MarkerPath(2), "wait"}}));
  auto one = observer_->Await(1, In(absl::Seconds(10)));
  ROSTER_ASSERT_OK(one);
  auto two = observer_->Await(2, In(absl::Seconds(10)));
  ROSTER_ASSERT_OK(two);
  Held exec = Hold(engine.CommandLine({"exec", "one", MarkerPath(3), "exit"}));
  constexpr uint32_t kSlot = 4000;
  ROSTER_ASSERT_OK(hook_->Arm(exec.pid, kSlot, "", 0));
  auto slots = hook_->Slots();
  ROSTER_ASSERT_OK(slots);
  (*slots)[kSlot].parent = two->by_task.handle;
  SetBits((*slots)[kSlot].flags, ROSTER_F_JOIN);
  EXPECT_EQ(LetGo(std::move(exec)), 0);
  auto joined = observer_->Await(3, In(absl::Seconds(10)));
  ROSTER_ASSERT_OK(joined);
  EXPECT_EQ(joined->by_task.handle, one->by_task.handle);
  for (const char* name : {"one", "two"}) ROSTER_ASSERT_OK(engine.Remove(name));
  EXPECT_NE(LoadField((*slots)[kSlot].state), static_cast<uint32_t>(ROSTER_PENDING));
  // Records are userspace's to remove.
  PinState before = before_;
  auto now = roster_->ReadPins();
  ROSTER_ASSERT_OK(now);
  before.records = now->records;
  ROSTER_EXPECT_OK(roster_->AwaitNothingMoreThan(before, In(absl::Seconds(5))));
}

TEST_F(KernelHookTest, EachStepOfAContainersEndRaisesTheChangeCounter) {
  OciEngine engine("runc", *workspace_);
  ROSTER_ASSERT_OK(engine.Start());
  ROSTER_ASSERT_OK(engine.Run({"one", {MarkerPath(1), "wait"}}));
  auto one = observer_->Await(1, In(absl::Seconds(10)));
  ROSTER_ASSERT_OK(one);
  auto slots = hook_->Slots();
  ROSTER_ASSERT_OK(slots);
  auto abi = hook_->Abi();
  ROSTER_ASSERT_OK(abi);
  const uint64_t before = LoadField((*abi)[0].changes);
  ASSERT_EQ(::kill(one->pid, SIGKILL), 0);
  Ticker ticker(absl::Milliseconds(20));
  roster_membership& slot = (*slots)[ROSTER_HANDLE_SLOT(one->by_task.handle)];
  // Exiting, ended, free; the counter is raised after the state is written.
  ROSTER_ASSERT_OK(WaitUntil("three changes", {ticker.fd()}, In(absl::Seconds(10)), [&] {
    ticker.Take();
    return LoadField(slot.state) == ROSTER_FREE && LoadField((*abi)[0].changes) >= before + 3;
  }));
  ROSTER_ASSERT_OK(engine.Remove("one"));
  ROSTER_EXPECT_OK(roster_->AwaitNothingMoreThan(before_, In(absl::Seconds(5))));
}

}  // namespace
}  // namespace roster::testing

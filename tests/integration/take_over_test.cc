// What a daemon that starts takes over: containers that are made and not started, that have lost
// their init, that were there before any daemon.
#include <fcntl.h>
#include <signal.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engines/command.h"
#include "engines/host_state.h"
#include "engines/oci_engine.h"
#include "integration/roster_test_base.h"
#include "process/cgroup_id.h"
#include "process/proc_task.h"
#include "process/task_end.h"

namespace roster::testing {
namespace {

using Containers = std::map<std::string, nlohmann::json>;

class TakeOver : public RosterTestBase {
 protected:
  OciEngine& runc() { return static_cast<OciEngine&>(*engine_); }

  // Without a daemon, as it is before the first one.
  void StartEngineAlone() {
    ASSERT_TRUE(IsInstalled(EngineKind::kRunc)) << "runc is not installed";
    engine_ = MakeEngine(EngineKind::kRunc, *workspace_);
    ROSTER_ASSERT_OK(engine_->Start());
    // Where its states are, as an earlier daemon has noted it.
    std::ofstream roots(workspace_->Path("roster") + "/runtime-roots");
    roots << runc().CommandLine({}).at(2) << "\n";
    ASSERT_TRUE(roots.flush().good());
  }
  void AwaitIds(const std::set<std::string>& ids) {
    ROSTER_EXPECT_OK(roster_->AwaitList("the containers that there are", In(absl::Seconds(10)),
                                        [&](const Containers& list) {
                                          std::set<std::string> listed;
                                          for (const auto& [id, unused] : list) listed.insert(id);
                                          return listed == ids;
                                        }));
  }
  // The description of the slot whose init is `pid`; "" when there is none.
  std::string SlotOf(pid_t pid) {
    const auto pins = roster_->ReadPins();
    if (!pins.ok()) return "";
    for (const auto& [handle, text] : pins->slots) {
      if (absl::StrContains(text, absl::StrCat(" init ", pid, " "))) return text;
    }
    return "";
  }
  void Await(const std::string& what, const std::function<bool()>& condition) {
    Ticker ticker(absl::Milliseconds(10));
    ROSTER_ASSERT_OK(WaitUntil(what, {ticker.fd()}, In(absl::Seconds(20)), [&] {
      ticker.Take();
      return condition();
    }));
  }
};

class CreatedBeforeRestart : public TakeOver {
 protected:
  // Two created containers, of one of which the daemon that is killed has told subscribers.
  void SetUp() override {
    TakeOver::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    StartAll(EngineKind::kRunc);
    if (HasFatalFailure()) return;
    ROSTER_ASSERT_OK(engine_->Create({"told", {MarkerPath(1), "wait"}}));
    ROSTER_ASSERT_OK(engine_->Create({"untold", {MarkerPath(2), "wait"}}));
    ROSTER_ASSERT_OK(RunCommand({"cat", runc().BundleOf("told") + "/pid"}));
    AwaitIds({"told"});
    ROSTER_ASSERT_OK(roster_->Kill());
    ROSTER_ASSERT_OK(roster_->Start());
    AwaitIds({"told"});
  }
};

TEST_F(CreatedBeforeRestart, WhatIsNeverStartedLeavesNothing) {
  ROSTER_ASSERT_OK(engine_->Remove("told"));
  ROSTER_ASSERT_OK(engine_->Remove("untold"));
  ExpectNothingLeft();
}

TEST_F(CreatedBeforeRestart, WhatIsStartedHasItsStart) {
  for (const char* name : {"told", "untold"}) ROSTER_ASSERT_OK(engine_->StartCreated(name));
  ROSTER_EXPECT_OK(
      roster_->AwaitList("both, started", In(absl::Seconds(10)), [](const Containers& list) {
        const auto started = [&](const char* id) {
          const auto it = list.find(id);
          return it != list.end() && NumberField(it->second["runtime"], "containerStartedAt") != 0;
        };
        return started("told") && started("untold");
      }));
  for (const char* name : {"told", "untold"}) ROSTER_ASSERT_OK(engine_->Remove(name));
  ExpectNothingLeft();
}

TEST_F(TakeOver, AContainerThatHasLostItsInitIsKeptUntilItsLastTaskEnds) {
  StartAll(EngineKind::kRunc);
  if (HasFatalFailure()) return;
  ROSTER_ASSERT_OK(engine_->Run(
      {.name = "orphan",
       .arguments = {"/bin/sh", "-c",
                     absl::StrCat(MarkerPath(1), " wait & exec ", MarkerPath(2), " wait")},
       .host_pid = true}));
  auto sibling = observer_->Await(1, In(absl::Seconds(10)));
  ROSTER_ASSERT_OK(sibling);
  auto init = observer_->Await(2, In(absl::Seconds(10)));
  ROSTER_ASSERT_OK(init);
  AwaitIds({"orphan"});
  ASSERT_EQ(::kill(init->pid, SIGKILL), 0);
  const auto is_exiting = [&] {
    return absl::StartsWith(SlotOf(init->pid), absl::StrCat("state ", ROSTER_EXITING));
  };
  Await("the end of the init", is_exiting);
  ROSTER_ASSERT_OK(roster_->Kill());
  ROSTER_ASSERT_OK(roster_->Start());
  EXPECT_TRUE(is_exiting());
  // Of its cgroup, which nobody's init is in, the list says nothing any more.
  const auto is_listed = [&] {
    const auto list = roster_->Call({"list", "-o", "json"});
    return list.ok() && absl::StrContains(list->out, "\"orphan\"");
  };
  EXPECT_TRUE(is_listed());
  ASSERT_EQ(::kill(sibling->pid, SIGKILL), 0);
  Await("the end of the container", [&] { return !is_listed(); });
  ROSTER_ASSERT_OK(engine_->Remove("orphan"));
  ExpectNothingLeft();
}

// The daemon is held while it reads who the second is, and the first, which it has entered, ends.
TEST_F(TakeOver, WhatEndsWhileItIsAdoptedIsNotKept) {
  StartEngineAlone();
  if (HasFatalFailure()) return;
  ROSTER_ASSERT_OK(engine_->Run({"first", {MarkerPath(1), "wait"}}));
  ROSTER_ASSERT_OK(engine_->Run({"second", {MarkerPath(2), "wait"}}));
  auto first = engine_->Pid("first");
  ROSTER_ASSERT_OK(first);
  auto second = engine_->Pid("second");
  ROSTER_ASSERT_OK(second);
  ASSERT_LT(*first, *second) << "the one that is found first";
  const std::string state = runc().CommandLine({}).at(2) + "/second/state.json";
  Fd group(fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(group.valid());
  ASSERT_EQ(fanotify_mark(group.get(), FAN_MARK_ADD, FAN_OPEN_PERM, AT_FDCWD, state.c_str()), 0)
      << state;
  absl::Status started;
  std::thread starter([&] { started = roster_->Start(); });
  bool ended = false;
  while (!ended && WaitAny("the daemon to look", {group.get()}, In(absl::Seconds(60))).ok()) {
    fanotify_event_metadata event = {};
    if (read(group.get(), &event, sizeof(event)) != sizeof(event)) break;
    if (!SlotOf(*first).empty()) {
      EXPECT_EQ(::kill(*first, SIGKILL), 0);
      Await("the end of the first", [&] { return HasEnded(*first); });
      ended = true;
    }
    const fanotify_response allow = {.fd = event.fd, .response = FAN_ALLOW};
    EXPECT_EQ(write(group.get(), &allow, sizeof(allow)), static_cast<ssize_t>(sizeof(allow)));
    ::close(event.fd);
  }
  group.Reset();
  starter.join();
  ROSTER_ASSERT_OK(started);
  EXPECT_TRUE(ended) << "the second's state was read before the first was entered";
  EXPECT_EQ(SlotOf(*first), "");
  AwaitIds({"second"});
  for (const char* name : {"first", "second"}) ROSTER_ASSERT_OK(engine_->Remove(name));
  AwaitIds({});
}

TEST_F(TakeOver, CgroupsThatAContainerMadeBeforeTheFirstDaemonLeadToIt) {
  StartEngineAlone();
  if (HasFatalFailure()) return;
  ROSTER_ASSERT_OK(engine_->Run({"outer", {MarkerPath(1), "wait"}}));
  auto pid = engine_->Pid("outer");
  ROSTER_ASSERT_OK(pid);
  auto task = ProcTask::Open(*pid);
  ROSTER_ASSERT_OK(task);
  auto cgroups = task->Cgroups();
  ROSTER_ASSERT_OK(cgroups);
  const auto hierarchy = CgroupMount();
  ROSTER_ASSERT_OK(hierarchy);
  const std::string directory = hierarchy->mount + (hierarchy->v2 ? cgroups->v2 : cgroups->v1);
  const std::string inner = directory + "/a/b";
  ASSERT_EQ(::mkdir((directory + "/a").c_str(), 0755), 0) << directory;
  ASSERT_EQ(::mkdir(inner.c_str(), 0755), 0);
  const auto id_of = [](const std::string& path) {
    struct stat info = {};
    return ::stat(path.c_str(), &info) == 0 ? info.st_ino : 0;
  };
  const uint64_t ids[] = {id_of(directory), id_of(directory + "/a"), id_of(inner)};
  // In no namespace of the container's, but in its cgroup.
  auto member = Process::Spawn({"sleep", "1000"});
  ROSTER_ASSERT_OK(member);
  {
    std::ofstream procs(inner + "/cgroup.procs");
    procs << member->pid();
  }
  ROSTER_ASSERT_OK(roster_->Start());
  AwaitIds({"outer"});
  auto pins = roster_->ReadPins();
  ROSTER_ASSERT_OK(pins);
  ASSERT_TRUE(pins->cgroups.contains(ids[0]));
  const uint64_t handle = pins->cgroups[ids[0]];
  for (uint64_t id : ids) EXPECT_EQ(pins->cgroups[id], handle) << id;
  EXPECT_GE(pins->lineage, 2u) << "the init and the task in the inner cgroup";
  ROSTER_ASSERT_OK(member->Signal(SIGKILL));
  ROSTER_ASSERT_OK(member->Wait(In(absl::Seconds(10))));
  Await("the cgroup to be empty", [&] { return ::rmdir(inner.c_str()) == 0; });
  EXPECT_EQ(::rmdir((directory + "/a").c_str()), 0);
  ROSTER_ASSERT_OK(engine_->Remove("outer"));
  AwaitIds({});
  pins = roster_->ReadPins();
  ROSTER_ASSERT_OK(pins);
  for (uint64_t id : ids) EXPECT_FALSE(pins->cgroups.contains(id)) << id;
}

}  // namespace
}  // namespace roster::testing

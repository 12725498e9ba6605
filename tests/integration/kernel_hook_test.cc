// The kernel hook alone, without the daemon: this test plays userspace's part by writing the maps.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "cgroups.skel.h"
#include "engines/host_state.h"
#include "engines/image.h"
#include "engines/oci_bundle.h"
#include "engines/oci_engine.h"
#include "integration/roster_test_base.h"
#include "kernel/bpf_map.h"
#include "kernel/errors.h"
#include "kernel/host.h"
#include "kernel/shared_field.h"
#include "lifecycle.skel.h"
#include "lineage_abi.h"
#include "process/proc_task.h"

namespace roster::testing {
namespace {

uint64_t InodeOf(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_ino : 0;
}

// As the kernel has it: 0, unknown, on overlayfs, where stat's number is another one.
uint64_t ExecutableInode(const OciEngine& engine) {
  const std::string path = absl::StrCat("/usr/bin/", engine.Name());
  struct statfs info {};
  if (::statfs(path.c_str(), &info) != 0 || info.f_type == OVERLAYFS_SUPER_MAGIC) return 0;
  return InodeOf(path);
}

// The programs of lifecycle.bpf.c and cgroups.bpf.c over maps pinned in a directory of this test's
// own.
class KernelHook {
 public:
  explicit KernelHook(const std::string& directory) : directory_(directory) {}
  ~KernelHook() {
    cgroups_bpf::destroy(cgroups_);
    lifecycle_bpf::destroy(lifecycle_);
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  absl::Status Attach() {
    std::filesystem::create_directories(directory_);
    LIBBPF_OPTS(bpf_object_open_opts, options, .pin_root_path = directory_.c_str());
    lifecycle_ = lifecycle_bpf::open(&options);
    cgroups_ = cgroups_bpf::open(&options);
    if (lifecycle_ == nullptr || cgroups_ == nullptr)
      return ErrnoStatus("open", "the kernel hook", errno);
    for (bpf_object* object : {lifecycle_->obj, cgroups_->obj}) {
      bpf_map* map = nullptr;
      bpf_object__for_each_map(map, object) {
        const std::string name = bpf_map__name(map);
        if (name.rfind("roster_", 0) == 0)
          bpf_map__set_pin_path(map, (directory_ + "/" + name).c_str());
      }
    }
    if (int error = lifecycle_bpf::load(lifecycle_); error != 0)
      return ErrnoStatus("load", "lifecycle", error);
    if (int error = cgroups_bpf::load(cgroups_); error != 0)
      return ErrnoStatus("load", "cgroups", error);
    ROSTER_ASSIGN_OR_RETURN(const HostIdentity host, ReadHostIdentity());
    uint32_t zero = 0;
    roster_hot hot{};
    hot.version = ROSTER_INTERNAL_VERSION;
    hot.host_mntns = host.mntns;
    hot.host_netns = host.netns;
    hot.host_pidns = host.pidns;
    hot.cgroup_source = host.cgroup_source;
    hot.hierarchy = host.cgroup_hierarchy;
    hot.armed = 1;  // never skip the look-up
    roster_abi abi{};
    abi.host_mntns = hot.host_mntns;
    abi.cgroup_source = hot.cgroup_source;
    if (bpf_map_update_elem(bpf_map__fd(lifecycle_->maps.roster_hot), &zero, &hot, 0) != 0 ||
        bpf_map_update_elem(bpf_map__fd(lifecycle_->maps.roster_abi), &zero, &abi, 0) != 0) {
      return ErrnoStatus("fill", "roster_hot", errno);
    }
    if (int error = lifecycle_bpf::attach(lifecycle_); error != 0)
      return ErrnoStatus("attach", "lifecycle", error);
    if (int error = cgroups_bpf::attach(cgroups_); error != 0)
      return ErrnoStatus("attach", "cgroups", error);
    return absl::OkStatus();
  }

  // Reserves `slot` for `id`, and arms thread `tid` with it, as userspace does while the runtime's
  // exec is held.
  // `exe_ino` is the inode number of the runtime's executable, 0 where that is not to be compared.
  absl::StatusOr<uint64_t> Arm(pid_t tid, uint32_t slot, const std::string& id, uint64_t exe_ino) {
    roster_birth birth{};
    bpf_map_lookup_elem(bpf_map__fd(lifecycle_->maps.roster_birth), &slot, &birth);
    uint64_t handle = ROSTER_MAKE_HANDLE(++birth.epoch, slot);
    birth.npending = 1;
    birth.nlive = birth.ntasks = 0;
    birth.exe_ino = exe_ino;
    roster_membership membership{};
    membership.handle = handle;
    membership.state = ROSTER_PENDING;
    roster_record record{};
    record.handle = handle;
    std::strncpy(record.id, id.c_str(), sizeof(record.id) - 1);
    roster_armed armed{handle};
    uint32_t key = tid;
    if (bpf_map_update_elem(bpf_map__fd(lifecycle_->maps.roster_birth), &slot, &birth, 0) != 0 ||
        bpf_map_update_elem(bpf_map__fd(lifecycle_->maps.roster_record), &handle, &record, 0) !=
            0 ||
        bpf_map_update_elem(bpf_map__fd(lifecycle_->maps.roster_slot), &slot, &membership, 0) !=
            0 ||
        bpf_map_update_elem(bpf_map__fd(lifecycle_->maps.roster_arm), &key, &armed, 0) != 0) {
      return ErrnoStatus("arm", id, errno);
    }
    return handle;
  }

  // roster_hot.armed was set to one for good; BPF counts it down.
  void KeepArmed() {
    uint32_t zero = 0;
    roster_hot hot{};
    int fd = bpf_map__fd(lifecycle_->maps.roster_hot);
    if (bpf_map_lookup_elem(fd, &zero, &hot) != 0) return;
    hot.armed = 1;
    bpf_map_update_elem(fd, &zero, &hot, 0);
  }

  // The slot's birth, shared with BPF.
  absl::StatusOr<MappedArray<roster_birth>> Births() const {
    return MappedArray<roster_birth>::Map(bpf_map__fd(lifecycle_->maps.roster_birth),
                                          ROSTER_MAX_SLOTS, "roster_birth");
  }

  const std::string& directory() const { return directory_; }

 private:
  const std::string directory_;
  lifecycle_bpf* lifecycle_ = nullptr;
  cgroups_bpf* cgroups_ = nullptr;
};

class KernelHookTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    auto workspace = Workspace::Create();
    ROSTER_ASSERT_OK(workspace);
    workspace_ = *std::move(workspace);
    // The pins are read as a RosterUnderTest reads them.
    roster_ = std::make_unique<RosterUnderTest>(*workspace_);
    hook_ = std::make_unique<KernelHook>(roster_->pin_directory());
    ROSTER_ASSERT_OK(hook_->Attach());
    auto observer = Observer::Attach(Observer::Kind::kStranger, hook_->directory());
    ROSTER_ASSERT_OK(observer);
    observer_ = *std::move(observer);
    auto before = roster_->ReadPins();
    ROSTER_ASSERT_OK(before);
    before_ = *before;
  }

  // A child that executes `arguments` once it is told to, so that it can be armed by its pid.
  struct Held {
    pid_t pid = -1;
    Fd go;
  };
  Held Hold(const std::vector<std::string>& arguments) {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    std::vector<char*> pointers;
    for (const std::string& argument : arguments)
      pointers.push_back(const_cast<char*>(argument.c_str()));
    pointers.push_back(nullptr);
    Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    pid_t pid = ::fork();
    if (pid == 0) {
      char byte;
      ::dup2(null.get(), 0);
      ::dup2(null.get(), 1);
      if (::read(ends[0], &byte, 1) == 1) ::execvp(pointers[0], pointers.data());
      ::_exit(127);
    }
    ::close(ends[0]);
    return {pid, Fd(ends[1])};
  }
  int LetGo(Held held) {
    EXPECT_EQ(::write(held.go.get(), "x", 1), 1);
    int status = 0;
    EXPECT_EQ(::waitpid(held.pid, &status, 0), held.pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  std::unique_ptr<Workspace> workspace_;
  std::unique_ptr<RosterUnderTest> roster_;
  std::unique_ptr<KernelHook> hook_;
  std::unique_ptr<Observer> observer_;
  PinState before_;
};

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
    ROSTER_ASSERT_OK(
        WriteBundle(bundle, OciConfig({name, {MarkerPath(i), "wait"}}, engine.image().rootfs,
                                      engine.CgroupsPath(name))));
    Held held = Hold(engine.CommandLine({"run", "--detach", "--bundle", bundle, name}));
    hook_->KeepArmed();
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
    hook_->KeepArmed();
    ROSTER_ASSERT_OK(hook_->Arm(held.pid, 2000 + i, "x", ExecutableInode(engine)));
    LetGo(std::move(held));
  }
  // Killed before its exec, too.
  Held held = Hold(engine.CommandLine({"run"}));
  hook_->KeepArmed();
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
    auto provisional = roster_->Stat(ROSTER_STAT_PROVISIONAL);
    ROSTER_ASSERT_OK(provisional);
    EXPECT_EQ(*provisional, 0u) << line[1];
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
  std::string directory;
  for (const Mount& mount : ListMounts()) {
    if (mount.type == "cgroup2") directory = mount.mount_point + cgroups->v2;
  }
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
  EXPECT_EQ(*roster_->Stat(ROSTER_STAT_CGROUPS_BOUND), 1u);
  EXPECT_EQ(::rmdir((directory + "/first").c_str()), 0);
  EXPECT_TRUE(make("in-its-place"));
  StoreField(birth.ncgroups, 1);
  EXPECT_EQ(::rmdir((directory + "/too-many").c_str()), 0);
  EXPECT_EQ(::rmdir((directory + "/in-its-place").c_str()), 0);
  EXPECT_EQ(LoadField(birth.ncgroups), 0u);

  AddField(birth.ntasks, ROSTER_MAX_MEMBER_TASKS);
  Ticker ticker(absl::Milliseconds(10));
  ROSTER_EXPECT_OK(WaitUntil("a fork beyond the bound", {ticker.fd()}, In(absl::Seconds(5)), [&] {
    ticker.Take();
    return roster_->Stat(ROSTER_STAT_TASKS_BOUND).value_or(0) > 0;
  }));
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
      OciConfig({"two", {MarkerPath(2), "wait"}}, engine.image().rootfs, engine.CgroupsPath("two"));
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

}  // namespace
}  // namespace roster::testing

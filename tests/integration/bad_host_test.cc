// A host that lacks something, and a pins directory that is not as it should be: a clear error that
// names it, and never a runtime that is refused.
#include <bpf/bpf.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engines/host_state.h"
#include "integration/roster_test_base.h"
#include "kernel/bpf_map.h"

namespace roster::testing {
namespace {

// Of the map that is pinned there; 0 where there is none.
uint32_t PinnedMapId(const std::string& path) {
  const Fd pin(bpf_obj_get(path.c_str()));
  bpf_map_info info{};
  uint32_t size = sizeof(info);
  return bpf_obj_get_info_by_fd(pin.get(), &info, &size) == 0 ? info.id : 0;
}

class BadHost : public RosterTestBase {
 protected:
  absl::StatusOr<CommandResult> Daemon(const std::vector<std::string>& prefix,
                                       const std::string& pin_directory) {
    std::vector<std::string> line = prefix;
    line.insert(line.end(),
                {RosterUnderTest::Program(), "daemon", "--socket", workspace_->Path("other.sock"),
                 "--pin-dir", pin_directory, "--state-dir", workspace_->MakeDirectory("other")});
    CommandOptions options;
    options.timeout = absl::Seconds(15);
    return RunCommand(line, options);
  }
};

TEST_F(BadHost, NotRootIsSaid) {
  auto result = Daemon({"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"},
                       roster_->pin_directory());
  ROSTER_ASSERT_OK(result);
  EXPECT_NE(result->exit_code, 0);
  EXPECT_THAT(result->err + result->out,
              ::testing::AnyOf(::testing::HasSubstr("root"), ::testing::HasSubstr("CAP_"),
                               ::testing::HasSubstr("ermission")));
}

TEST_F(BadHost, PinDirectoryOutsideOfABpffsIsNamed) {
  const std::string directory = workspace_->MakeDirectory("no-bpffs");
  auto result = Daemon({}, directory);
  ROSTER_ASSERT_OK(result);
  EXPECT_NE(result->exit_code, 0);
  EXPECT_THAT(result->err + result->out, ::testing::HasSubstr(directory));
}

TEST_F(BadHost, ForeignMapUnderOurNameIsNamedAndNotTouched) {
  std::filesystem::create_directories(roster_->pin_directory());
  const std::string path = roster_->pin_directory() + "/roster_mntns";
  {
    Fd map(bpf_map_create(BPF_MAP_TYPE_ARRAY, "foreign", 4, 4, 1, nullptr));
    ASSERT_TRUE(map.valid());
    ASSERT_EQ(bpf_obj_pin(map.get(), path.c_str()), 0);
  }
  const uint32_t id = PinnedMapId(path);
  ASSERT_NE(id, 0U);
  const absl::Status started = roster_->Start();
  EXPECT_FALSE(started.ok());
  EXPECT_THAT(std::string(started.message()), ::testing::HasSubstr(path));
  EXPECT_EQ(PinnedMapId(path), id);
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
}

TEST_F(BadHost, MapOfAnotherVersionIsNamedAndNotTouched) {
  std::filesystem::create_directories(roster_->pin_directory());
  const std::string path = roster_->pin_directory() + "/roster_record";
  {
    // As an earlier version may have made it: the same type, another layout.
    LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC);
    Fd map(bpf_map_create(BPF_MAP_TYPE_HASH, "roster_record", 8, 512, 1024, &options));
    ASSERT_TRUE(map.valid());
    ASSERT_EQ(bpf_obj_pin(map.get(), path.c_str()), 0);
  }
  const uint32_t id = PinnedMapId(path);
  ASSERT_NE(id, 0U);
  const absl::Status started = roster_->Start();
  EXPECT_FALSE(started.ok());
  EXPECT_THAT(std::string(started.message()), ::testing::HasSubstr(path));
  EXPECT_THAT(std::string(started.message()), ::testing::HasSubstr("roster uninstall"));
  EXPECT_EQ(PinnedMapId(path), id);
  ROSTER_EXPECT_OK(roster_->Uninstall());
}

TEST_F(BadHost, KernelWithoutBtfIsSaid) {
  // In a mount namespace where the kernel's BTF cannot be found.
  auto result = Daemon({"unshare", "--mount", "sh", "-c",
                        "mount -t tmpfs none /sys/kernel/btf && exec \"$@\"", "sh"},
                       roster_->pin_directory());
  ROSTER_ASSERT_OK(result);
  EXPECT_NE(result->exit_code, 0);
  EXPECT_THAT(result->err + result->out, ::testing::HasSubstr("BTF"));
}

TEST_F(BadHost, EntriesThatLeadNowhereAreRemovedAtTheNextStart) {
  StartAll(EngineKind::kRunc);
  if (HasFatalFailure()) return;
  ROSTER_ASSERT_OK(roster_->Kill());
  // Entries that no kernel and no daemon made.
  Fd mntns(bpf_obj_get((roster_->pin_directory() + "/roster_mntns").c_str()));
  Fd cgroups(bpf_obj_get((roster_->pin_directory() + "/roster_cgroup").c_str()));
  for (uint64_t key = 1; key < 100; ++key) {
    uint64_t handle = key << 33 | key;
    ASSERT_EQ(bpf_map_update_elem(mntns.get(), &key, &handle, BPF_ANY), 0);
    uint64_t unused = key + 1000000000000ULL;
    ASSERT_EQ(bpf_map_update_elem(cgroups.get(), &unused, &handle, BPF_ANY), 0);
  }
  ROSTER_ASSERT_OK(roster_->Start());
  ROSTER_EXPECT_OK(roster_->AwaitNothingMoreThan(before_, In(absl::Seconds(5))));
  auto containers = StartContainers(engine_.get(), StartMode::kRun, 3, 1, "c", 0, observer_.get());
  ROSTER_ASSERT_OK(containers);
  EXPECT_EQ(Decide(*containers).by_mntns.right, 3) << ToText(Decide(*containers));
  ROSTER_ASSERT_OK(RemoveContainers(engine_.get(), *containers, 3));
  ExpectNothingLeft();
}

TEST_F(BadHost, AKeeperThatDiesIsReplacedAndThatIsSaid) {
  ROSTER_ASSERT_OK(roster_->Start());
  // The daemon's only child; 0: it has none, or several for a moment.
  const auto keeper = [&] {
    std::string children;
    const std::string tasks = absl::StrCat("/proc/", roster_->pid(), "/task");
    for (const auto& task : std::filesystem::directory_iterator(tasks)) {
      children += ReadKernelFile(task.path().string() + "/children");
    }
    pid_t pid = 0;
    return absl::SimpleAtoi(absl::StripAsciiWhitespace(children), &pid) ? pid : 0;
  };
  Ticker ticker(absl::Milliseconds(50));
  pid_t first = 0;
  ROSTER_ASSERT_OK(WaitUntil("the keeper", {ticker.fd()}, In(absl::Seconds(10)), [&] {
    ticker.Take();
    first = keeper();
    return first != 0;
  }));
  ASSERT_EQ(::kill(first, SIGKILL), 0);
  ROSTER_EXPECT_OK(WaitUntil("another keeper", {ticker.fd()}, In(absl::Seconds(10)), [&] {
    ticker.Take();
    const pid_t now = keeper();
    return now != 0 && now != first &&
           absl::StrContains(roster_->Log(), "the keeper was dead or stopped");
  }));
}

// What no program of Roster's would write: into the slots themselves, while nobody keeps them.
TEST_F(BadHost, CorruptSlotsAreRepairedAtTheNextStart) {
  StartAll(EngineKind::kCrun);
  if (HasFatalFailure()) return;
  auto living = StartContainers(engine_.get(), StartMode::kRun, 2, 1, "living", 0, observer_.get());
  ROSTER_ASSERT_OK(living);
  ROSTER_ASSERT_OK(roster_->Kill());
  const Fd pin(bpf_obj_get((roster_->pin_directory() + "/roster_slot").c_str()));
  const uint64_t lives = (*living)[0].call.by_task.handle, moved = (*living)[1].call.by_task.handle;
  {
    auto slots = MappedArray<roster_membership>::Map(pin.get(), ROSTER_MAX_SLOTS, "roster_slot");
    ROSTER_ASSERT_OK(slots);
    roster_membership& wrong = (*slots)[ROSTER_HANDLE_SLOT(moved)];
    ASSERT_EQ(wrong.handle, moved);
    wrong.mntns = 1;
    uint32_t slot = ROSTER_MAX_SLOTS - 1;
    const auto corrupt = [&](uint32_t state, uint64_t handle) {
      ASSERT_EQ((*slots)[slot].state, ROSTER_FREE);
      (*slots)[slot].handle = handle;
      (*slots)[slot].init_pid = state >= ROSTER_BOUND ? static_cast<uint32_t>(::getpid()) : 0;
      (*slots)[slot--].state = state;
    };
    for (uint32_t state : {ROSTER_RESERVED, ROSTER_PENDING, ROSTER_BOUND, ROSTER_EXITING}) {
      corrupt(state, 0);
      corrupt(state, lives);                                 // another slot's
      corrupt(state, ROSTER_MAKE_HANDLE(1ULL << 20, slot));  // its own, and nobody's
    }
  }
  ROSTER_ASSERT_OK(roster_->Start());
  ROSTER_EXPECT_OK(roster_->AwaitList("who lives", In(absl::Seconds(10)), [&](const auto& list) {
    return list.size() == 2 && list.contains("living0") && list.contains("living1") &&
           NumberField(list.at("living1"), "mntns") == (*living)[1].call.mntns;
  }));
  for (uint32_t slot = ROSTER_MAX_SLOTS - 12; slot < ROSTER_MAX_SLOTS; ++slot) {
    roster_membership m{};
    ASSERT_EQ(bpf_map_lookup_elem(pin.get(), &slot, &m), 0);
    EXPECT_EQ(m.state, ROSTER_FREE) << slot;
    EXPECT_EQ(m.handle, 0U) << slot;
  }
  ROSTER_ASSERT_OK(RemoveContainers(engine_.get(), *living, 2));
  ExpectNothingLeft();
}

TEST_F(BadHost, DaemonWithoutFileDescriptorsRefusesNoExec) {
  StartAll(EngineKind::kRunc);
  if (HasFatalFailure()) return;
  rlimit before{}, none{};
  ASSERT_EQ(::prlimit(roster_->pid(), RLIMIT_NOFILE, nullptr, &before), 0);
  none = before;
  none.rlim_cur = 3;  // below what it has open: every further descriptor fails
  ASSERT_EQ(::prlimit(roster_->pid(), RLIMIT_NOFILE, &none, nullptr), 0);
  auto containers = StartContainers(engine_.get(), StartMode::kRun, 10, 1, "c", 0, observer_.get());
  ASSERT_EQ(::prlimit(roster_->pid(), RLIMIT_NOFILE, &before, nullptr), 0);
  ROSTER_ASSERT_OK(containers);  // none was refused
  Verdict verdict = Decide(*containers);
  EXPECT_EQ(verdict.by_task.missed + verdict.by_task.wrong, 0) << ToText(verdict);
  ROSTER_EXPECT_OK(roster_->AwaitList("all ten, once there are descriptors again",
                                      In(absl::Seconds(5)),
                                      [](const auto& list) { return list.size() == 10; }));
  ROSTER_ASSERT_OK(RemoveContainers(engine_.get(), *containers, 5));
  ExpectNothingLeft();
}

}  // namespace
}  // namespace roster::testing

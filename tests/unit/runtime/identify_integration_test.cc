// IdentifyRunning and FindRunningContainerInits against containers of the real runc and crun.
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "kernel/fd.h"
#include "process/proc_task.h"
#include "runtime/identify.h"
#include "runtime/pid_file.h"
#include "runtime/runtime_state.h"
#include "unit/process/child.h"

namespace roster {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::Contains;
using ::testing::Not;

int Shell(const std::string& command) {
  return std::system(absl::StrCat(command, " </dev/null").c_str());
}

std::string Slurp(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// One bundle with busybox, and containers of it that are deleted at the end.
class IdentifyTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (getuid() != 0) GTEST_SKIP() << "containers need root";
    if (Shell(absl::StrCat("command -v ", GetParam(), " >/dev/null")) != 0) {
      GTEST_SKIP() << GetParam() << " is not installed";
    }
    std::string name = testing::TempDir() + "identify_test_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    dir_ = fs::canonical(name);
    bundle_ = dir_ + "/bundle";
    fs::create_directories(bundle_ + "/rootfs/bin");
    ASSERT_EQ(Shell(absl::StrCat("cp $(command -v busybox) ", bundle_, "/rootfs/bin/busybox")), 0);
    ASSERT_EQ(Shell(absl::StrCat("cd ", bundle_, " && ", GetParam(), " spec")), 0);
    WriteConfig(/*host_pid=*/false);
    id_ = absl::StrCat("roster-identify-", GetParam(), "-", getpid());
  }

  void TearDown() override {
    if (dir_.empty()) return;
    for (const std::string& root : roots_) {
      Shell(absl::StrCat(GetParam(), RootOption(root), " delete -f ", id_, " >/dev/null 2>&1"));
    }
    fs::remove_all(dir_);
  }

  void WriteConfig(bool host_pid) {
    json config = json::parse(Slurp(bundle_ + "/config.json"));
    config["process"].erase("rlimits");
    config["process"]["terminal"] = false;
    config["process"]["args"] = {"/bin/busybox", "sh", "-c",
                                 "echo x; exec /bin/busybox sleep 1000"};
    config["annotations"] = {{"io.container.manager", "libpod"}};
    if (host_pid) {
      json kept = json::array();
      for (const json& ns : config["linux"]["namespaces"]) {
        if (ns["type"] != "pid") kept.push_back(ns);
      }
      config["linux"]["namespaces"] = kept;
    }
    std::ofstream(bundle_ + "/config.json") << config.dump();
  }

  static std::string RootOption(const std::string& root) {
    return root.empty() ? "" : " --root " + root;
  }

  // Starts the container, detached, and returns its init's pid; 0 when it could not be started.
  pid_t Start(const std::string& root) {
    roots_.push_back(root);
    const std::string pid_file = dir_ + "/pid";
    const std::string log = dir_ + "/log";
    const int status =
        Shell(absl::StrCat(GetParam(), RootOption(root), " run -d --bundle ", bundle_,
                           " --pid-file ", pid_file, " ", id_, " >", log, " 2>&1"));
    EXPECT_EQ(status, 0) << Slurp(log);
    const absl::StatusOr<pid_t> pid = ParsePid(Slurp(pid_file));
    EXPECT_TRUE(pid.ok()) << pid.status();
    if (pid.ok()) AwaitEndOfRuntime(*pid);
    return pid.ok() ? *pid : 0;
  }

  // `crun run -d` returns before the process of its that is the init's parent has exited, and a
  // runtime that is the parent vouches for its child.
  void AwaitEndOfRuntime(pid_t init) {
    const absl::StatusOr<ProcTask> task = ProcTask::Open(init);
    ASSERT_TRUE(task.ok()) << task.status();
    const absl::StatusOr<pid_t> parent = task->ParentPid();
    ASSERT_TRUE(parent.ok()) << parent.status();
    const Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, *parent, 0)));
    const absl::StatusOr<ProcTask> runtime = ProcTask::Open(*parent);
    if (!pidfd.valid() || !runtime.ok()) return;
    const absl::StatusOr<std::vector<std::string>> arguments = runtime->Cmdline();
    if (!arguments.ok() || !testing::Value(*arguments, Contains(id_))) return;
    pollfd fds = {pidfd.get(), POLLIN, 0};
    EXPECT_EQ(poll(&fds, 1, 10000), 1) << arguments->front() << " is still there";
  }

  std::string dir_;
  std::string bundle_;
  std::string id_;
  std::vector<std::string> roots_;
};

TEST_P(IdentifyTest, TheDefaultStateDirectoryVouches) {
  const pid_t pid = Start("");
  ASSERT_NE(pid, 0);
  const absl::StatusOr<Identity> identity = IdentifyRunning(pid);
  ASSERT_TRUE(identity.ok()) << identity.status();
  EXPECT_EQ(identity->id, id_);
  EXPECT_EQ(identity->oci_runtime, GetParam());
  EXPECT_EQ(identity->bundle, bundle_);
  EXPECT_EQ(identity->source, "state");
  EXPECT_EQ(identity->runtime_name, "podman");  // by the annotation in the bundle
  ASSERT_TRUE(identity->bundle_contents.has_value());
  EXPECT_EQ(identity->bundle_contents->spec.rootfs, "rootfs");
  EXPECT_THAT(FindRunningContainerInits(), Contains(pid));
}

TEST_P(IdentifyTest, AContainerInTheHostsPidNamespaceIsFoundAndIdentified) {
  WriteConfig(/*host_pid=*/true);
  const pid_t pid = Start("");
  ASSERT_NE(pid, 0);
  EXPECT_THAT(FindRunningContainerInits(), Contains(pid));
  EXPECT_EQ(IdentifyRunning(pid)->id, id_);
}

TEST_P(IdentifyTest, AnotherStateDirectoryIsSearchedWhenGiven) {
  const std::string root = dir_ + "/state";
  const pid_t pid = Start(root);
  ASSERT_NE(pid, 0);
  EXPECT_TRUE(absl::IsNotFound(IdentifyRunning(pid).status()));
  const absl::StatusOr<Identity> identity = IdentifyRunning(pid, {.state_roots = {root}});
  ASSERT_TRUE(identity.ok()) << identity.status();
  EXPECT_EQ(identity->id, id_);
  EXPECT_THAT(FindRunningContainerInits(), Contains(pid));  // pid 1 of its pid namespace
}

TEST_P(IdentifyTest, AForegroundRuntimeIsAskedForItsStateDirectory) {
  const std::string root = dir_ + "/state";
  roots_.push_back(root);
  FILE* runtime = popen(absl::StrCat("cd ", bundle_, " && exec ", GetParam(), " --root=", root,
                                     " run ", id_, " </dev/null")
                            .c_str(),
                        "r");
  ASSERT_NE(runtime, nullptr);
  EXPECT_EQ(fgetc(runtime), 'x');  // the container's own first word: it runs
  // crun writes its pid file, and at times its state, later than that; then its arguments alone
  // vouch.
  std::optional<Identity> found;
  for (const pid_t pid : FindRunningContainerInits()) {
    absl::StatusOr<Identity> identity = IdentifyRunning(pid);
    if (identity.ok() && identity->id == id_) found = *std::move(identity);
  }
  EXPECT_TRUE(found.has_value());
  if (found.has_value()) {
    EXPECT_EQ(found->bundle, bundle_);
    EXPECT_EQ(found->oci_runtime, GetParam());
  }
  Shell(absl::StrCat(GetParam(), RootOption(root), " delete -f ", id_));
  pclose(runtime);
}

TEST_P(IdentifyTest, AStateFileOfSomebodyElseIsNotBelieved) {
  const std::string root = dir_ + "/state";
  const pid_t pid = Start(root);
  ASSERT_NE(pid, 0);
  const std::string file = absl::StrCat(
      root, "/", id_, "/", std::string_view(GetParam()) == "crun" ? "status" : "state.json");
  ASSERT_EQ(chown(file.c_str(), 1000, 1000), 0);
  EXPECT_TRUE(absl::IsNotFound(IdentifyRunning(pid, {.state_roots = {root}}).status()));
  ASSERT_EQ(chown(file.c_str(), 0, 0), 0);
  EXPECT_TRUE(IdentifyRunning(pid, {.state_roots = {root}}).ok());
}

TEST_P(IdentifyTest, AStateWhoseStartTimeIsAnothersIsNotBelieved) {
  const std::string root = dir_ + "/state";
  const pid_t pid = Start(root);
  ASSERT_NE(pid, 0);
  const bool crun = std::string_view(GetParam()) == "crun";
  const std::string file = absl::StrCat(root, "/", id_, "/", crun ? "status" : "state.json");
  const std::string text = Slurp(file);
  json state = json::parse(text);
  const char* start = crun ? "process-start-time" : "init_process_start";
  ASSERT_TRUE(state.contains(start)) << text;
  state[start] = state[start].get<uint64_t>() - 1;
  std::ofstream(file) << state.dump();
  EXPECT_TRUE(absl::IsNotFound(IdentifyRunning(pid, {.state_roots = {root}}).status()));
  std::ofstream(file) << text;
  EXPECT_TRUE(IdentifyRunning(pid, {.state_roots = {root}}).ok());
}

TEST_P(IdentifyTest, AProcessThatAContainersInitStartedIsNoContainer) {
  const pid_t pid = Start("");
  ASSERT_NE(pid, 0);
  EXPECT_EQ(Shell(absl::StrCat(GetParam(), " exec -d --pid-file ", dir_, "/exec_pid ", id_,
                               " /bin/busybox sleep 1000")),
            0);
  const absl::StatusOr<pid_t> joined = ParsePid(Slurp(dir_ + "/exec_pid"));
  ASSERT_TRUE(joined.ok()) << joined.status();
  EXPECT_THAT(FindRunningContainerInits(), Not(Contains(*joined)));
  EXPECT_TRUE(absl::IsNotFound(IdentifyRunning(*joined).status()));
}

INSTANTIATE_TEST_SUITE_P(Runtimes, IdentifyTest, testing::Values("runc", "crun"),
                         [](const auto& runtime) { return std::string(runtime.param); });

TEST(Identify, AHostProcessAndAGoneOneAreNotFound) {
  EXPECT_TRUE(absl::IsNotFound(IdentifyRunning(getpid()).status()));
  EXPECT_TRUE(absl::IsNotFound(IdentifyRunning(4194304).status()));
  EXPECT_THAT(FindRunningContainerInits(), Not(Contains(getpid())));
}

TEST(Identify, AProcessThatMerelyUnsharedIsNotFound) {
  Child child([] {
    if (unshare(CLONE_NEWNS) != 0) _exit(1);
  });
  if (!child.ready()) GTEST_SKIP() << "unshare is not permitted";
  EXPECT_THAT(FindRunningContainerInits(), Not(Contains(child.pid())));
  EXPECT_TRUE(absl::IsNotFound(IdentifyRunning(child.pid()).status()));
}

}  // namespace
}  // namespace roster

// The unit file, run by a real systemd: readiness, the capabilities that it leaves, restart, stop.
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "engines/host_state.h"
#include "engines/service.h"
#include "integration/roster_test_base.h"
#include "kernel/errors.h"

namespace roster::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr char kSystemd[] = "/lib/systemd/systemd";
constexpr char kBooted[] = "/run/systemd/system";
constexpr char kUnit[] = "roster.service";

// Stops the thread `name` of process `pid`, and no other, until it is killed. The thread's id.
absl::StatusOr<pid_t> StopThread(pid_t pid, const std::string& name) {
  for (const auto& task : fs::directory_iterator(absl::StrCat("/proc/", pid, "/task"))) {
    std::string comm;
    std::getline(std::ifstream(task.path() / "comm") >> std::ws, comm);
    int tid = 0;
    if (comm != name || !absl::SimpleAtoi(task.path().filename().string(), &tid)) continue;
    if (::ptrace(PTRACE_SEIZE, tid, nullptr, nullptr) != 0 ||
        ::ptrace(PTRACE_INTERRUPT, tid, nullptr, nullptr) != 0 ||
        ::waitpid(tid, nullptr, __WALL) != tid) {
      return ErrnoStatus("stop thread", name, errno);
    }
    return tid;
  }
  return absl::NotFoundError(absl::StrCat("process ", pid, " has no thread ", name));
}

// A systemd manager of the test's own, as users have one; it need not be the host's init.
class ServiceUnit : public RosterTestBase {
 protected:
  void SetUp() override {
    RosterTestBase::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    if (::access(kSystemd, X_OK) != 0) GTEST_SKIP() << "systemd is not installed";
    // A manager refuses to work where this does not exist; see sd_booted(3).
    made_booted_ = fs::create_directories(kBooted);
    runtime_directory_ = workspace_->MakeDirectory("run");
    ASSERT_EQ(::chmod(runtime_directory_.c_str(), 0700), 0);
    workspace_->MakeDirectory("run/systemd");  // where the manager will listen
    WriteUnit();
    StartManager();
  }

  void TearDown() override {
    if (manager_.running()) {
      ROSTER_EXPECT_OK(manager_.Signal(SIGTERM));
      ROSTER_EXPECT_OK(manager_.Wait(In(absl::Seconds(20))));
    }
    for (const std::string& directory : cgroups_) ROSTER_EXPECT_OK(RemoveCgroup(directory));
    if (made_booted_) ::rmdir(kBooted);
    RosterTestBase::TearDown();
  }

  // The tree's unit, with this build's program and this test's directories.
  void WriteUnit() {
    std::ifstream file(ROSTER_SERVICE_UNIT);
    std::stringstream text;
    text << file.rdbuf();
    const std::string command = "@roster_program@ daemon";
    ASSERT_THAT(text.str(), HasSubstr(command));
    std::ofstream(absl::StrCat(workspace_->MakeDirectory("units"), "/", kUnit))
        << absl::StrReplaceAll(
               text.str(),
               {{"@PROJECT_DESCRIPTION@", "Roster under test"},
                {"WatchdogSec=20", "WatchdogSec=6"},
                {command, absl::StrCat(RosterUnderTest::Program(), " daemon --pin-dir ",
                                       roster_->pin_directory(), " --socket ", roster_->socket(),
                                       " --state-dir ", runtime_directory_, "/roster")}});
  }

  // In a cgroup of its own, where it may make others.
  void StartManager() {
    for (const Mount& mount : ListMounts()) {
      if (mount.type != "cgroup2" && mount.options.find("name=systemd") == std::string::npos)
        continue;
      cgroups_.push_back(
          absl::StrCat(mount.mount_point, "/", workspace_->unique_name(), "-manager"));
      fs::create_directory(cgroups_.back());
    }
    ASSERT_FALSE(cgroups_.empty());
    std::string script;
    for (const std::string& directory : cgroups_)
      absl::StrAppend(&script, "echo $$ >", directory, "/cgroup.procs || exit 1; ");
    absl::StrAppend(&script, "exec ", kSystemd, " --user --unit=basic.target");
    CommandOptions options;
    options.environment = Environment();
    options.log_path = workspace_->Path("systemd.log");
    auto manager = Process::Spawn({"sh", "-c", script}, options);
    ROSTER_ASSERT_OK(manager);
    manager_ = *std::move(manager);
    ROSTER_ASSERT_OK(WaitForSocket(runtime_directory_ + "/systemd/private", manager_.pidfd(),
                                   In(absl::Seconds(20))));
  }

  std::vector<std::string> Environment() const {
    std::vector<std::string> environment = workspace_->environment();
    environment.push_back("XDG_RUNTIME_DIR=" + runtime_directory_);
    environment.push_back("HOME=" + workspace_->directory());
    environment.push_back("SYSTEMD_UNIT_PATH=" + workspace_->Path("units") +
                          ":/usr/lib/systemd/user");
    return environment;
  }

  absl::StatusOr<std::string> Systemctl(std::vector<std::string> words) {
    words.insert(words.begin(), {"systemctl", "--user"});
    CommandOptions options;
    options.environment = Environment();
    return RunForOutput(words, options);
  }
  // "" where systemd does not answer.
  std::string Property(const std::string& name) {
    return Systemctl({"show", kUnit, "--value", "-p", name}).value_or("");
  }

  bool made_booted_ = false;
  std::string runtime_directory_;
  std::vector<std::string> cgroups_;
  Process manager_;
};

TEST_F(ServiceUnit, NamesContainersWithTheCapabilitiesItLeavesAndComesBackAfterAKill) {
  // Type=notify: systemd has waited for READY=1.
  ROSTER_ASSERT_OK(Systemctl({"start", kUnit}));
  EXPECT_EQ(Property("ActiveState"), "active");
  EXPECT_EQ(Property("StatusText"), "Serving 0 containers");
  const std::string first_pid = Property("MainPID");

  engine_ = MakeEngine(EngineKind::kCrun, *workspace_);
  ROSTER_ASSERT_OK(engine_->Start());
  ROSTER_ASSERT_OK(engine_->Run({"held", {"/bin/sleep", "600"}}));
  const auto holds = [](const std::string& id) {
    return [id](const auto& list) {
      return list.contains(id) && TextField(list.at(id), "runtime", "containerName") == id;
    };
  };
  ROSTER_EXPECT_OK(roster_->AwaitList("the container", In(absl::Seconds(5)), holds("held")));

  ROSTER_ASSERT_OK(RunForOutput({"kill", "-9", first_pid}));
  Ticker ticker(absl::Milliseconds(50));  // systemctl has no event for a restart
  ROSTER_ASSERT_OK(WaitUntil("the restart", {ticker.fd()}, In(absl::Seconds(20)), [&] {
    ticker.Take();
    return Property("ActiveState") == "active" && Property("MainPID") != first_pid;
  }));
  EXPECT_EQ(Property("NRestarts"), "1");
  EXPECT_EQ(Property("StatusText"), "Serving 1 containers");
  ROSTER_EXPECT_OK(roster_->AwaitList("the container", In(absl::Seconds(5)), holds("held")));
  ROSTER_ASSERT_OK(engine_->Run({"after", {"/bin/sleep", "600"}}));
  ROSTER_EXPECT_OK(roster_->AwaitList("the second", In(absl::Seconds(5)), holds("after")));

  ROSTER_ASSERT_OK(Systemctl({"stop", kUnit}));
  EXPECT_EQ(Property("ActiveState"), "inactive");
  EXPECT_EQ(Property("Result"), "success");
}

TEST_F(ServiceUnit, TrackerThatIsStuckIsSaidToBeSoAndRestarted) {
  ROSTER_ASSERT_OK(Systemctl({"start", kUnit}));
  int first_pid = 0;
  ASSERT_TRUE(absl::SimpleAtoi(Property("MainPID"), &first_pid));
  const auto healthy = roster_->Call({"doctor", "-o", "json", "--state-dir", runtime_directory_});
  ROSTER_ASSERT_OK(healthy);
  EXPECT_THAT(healthy->out, ::testing::Not(HasSubstr("stuck")));

  const auto tid = StopThread(first_pid, "roster-tracker");
  ROSTER_ASSERT_OK(tid);
  Ticker ticker(absl::Milliseconds(100));  // neither doctor nor systemctl has an event for it
  ROSTER_EXPECT_OK(WaitUntil("Health to tell of it", {ticker.fd()}, In(absl::Seconds(10)), [&] {
    ticker.Take();
    const auto told = roster_->Call({"doctor", "-o", "json", "--state-dir", runtime_directory_});
    return told.ok() && told->out.find("tracker has been stuck") != std::string::npos;
  }));
  // Only who stopped a thread can bury it.
  bool buried = false;
  ROSTER_EXPECT_OK(WaitUntil("the restart", {ticker.fd()}, In(absl::Seconds(40)), [&] {
    ticker.Take();
    int status = 0;
    buried |= ::waitpid(*tid, &status, __WALL | WNOHANG) == *tid;
    return buried && Property("ActiveState") == "active" && Property("NRestarts") == "1";
  }));
  // A new daemon is fed again: for longer than systemd waits.
  const absl::Time until = In(absl::Seconds(8));
  (void)WaitUntil("no other restart", {ticker.fd()}, until, [&] {
    ticker.Take();
    return Property("NRestarts") != "1";
  });
  EXPECT_EQ(Property("NRestarts"), "1");
  EXPECT_EQ(Property("ActiveState"), "active");
}

}  // namespace
}  // namespace roster::testing

// The program's commands against real pins, with and without a daemon.
#include <bpf/bpf.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <thread>

#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/doctor/check.h"
#include "cli/removal.h"
#include "daemon/daemon_lock.h"
#include "daemon/grpc_server.h"
#include "unit/daemon/list_source.h"
#include "unit/lookup/test_pins.h"

namespace roster::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ProgramTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = WhyNoTestPins(); !why.empty()) GTEST_SKIP() << why;
    auto pins = TestPins::Make();
    ASSERT_TRUE(pins.ok()) << pins.status();
    pins_ = *std::move(pins);
    char dir[] = "/tmp/roster-program-XXXXXX";
    ASSERT_NE(mkdtemp(dir), nullptr);
    state_dir_ = dir;
    socket_ = state_dir_ + "/roster.sock";
  }
  void TearDown() override {
    if (state_dir_.empty()) return;
    unlink(socket_.c_str());
    unlink((state_dir_ + "/daemon.lock").c_str());
    rmdir(state_dir_.c_str());
  }
  struct Outcome {
    int code;
    std::string out;
    std::string err;
  };
  Outcome RunRoster(std::vector<std::string> arguments, bool state_dir = false,
                    bool socket = true) {
    arguments.insert(arguments.begin(), "roster");
    if (socket) arguments.insert(arguments.end(), {"--socket", socket_});
    arguments.insert(arguments.end(), {"--pin-dir", pins_->dir()});
    if (state_dir) arguments.insert(arguments.end(), {"--state-dir", state_dir_});
    std::vector<const char*> argv;
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = RunCli(static_cast<int>(argv.size()), argv.data());
    return {code, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
  }
  Paths paths() const {
    return {.socket = socket_, .pin_dir = pins_->dir(), .state_dir = state_dir_};
  }

  std::unique_ptr<TestPins> pins_;
  std::string state_dir_;
  std::string socket_;
};

TEST_F(ProgramTest, ListWithoutADaemonAnswersFromThePinsAndSaysSo) {
  pins_->Add(5, 1, 100, 200, 300, "web");
  const Outcome outcome =
      RunRoster({"list", "-o", "columns=fullid,name,mntns,netns,cgroup,status"});
  EXPECT_EQ(outcome.code, kExitOk);
  EXPECT_THAT(outcome.out, HasSubstr("id-of-web   web      100     200      300   running"));
  EXPECT_THAT(outcome.err, HasSubstr("answered from the pins"));
  EXPECT_THAT(outcome.err, HasSubstr(socket_));
}

TEST_F(ProgramTest, ListFromThePinsTakesTheSameSelectors) {
  pins_->Add(5, 1, 100, 0, 0, "web");
  pins_->Add(6, 1, 101, 0, 0, "db");
  const Outcome outcome = RunRoster({"list", "-c", "!db", "-o", "columns=name", "--no-headers"});
  EXPECT_EQ(outcome.out, "web\n");
}

TEST_F(ProgramTest, ListFromTheDaemonDoesNotMentionPins) {
  ListSource source;
  source.Publish(EventType::kCreated, MakeContainer("aaa", "from-daemon"));
  auto server = GrpcServer::Start(socket_, &source, {.version = "9"});
  ASSERT_TRUE(server.ok()) << server.status();
  const Outcome outcome = RunRoster({"list"});
  EXPECT_THAT(outcome.out, HasSubstr("from-daemon"));
  EXPECT_EQ(outcome.err, "");
}

TEST_F(ProgramTest, GetByPrefixHasItsExitCodes) {
  pins_->Add(5, 1, 100, 0, 0, "web-1");
  pins_->Add(6, 1, 101, 0, 0, "web-2");
  EXPECT_EQ(RunRoster({"get", "id-of-web-1", "-o", "columns=name", "--no-headers"}).out, "web-1\n");
  EXPECT_EQ(RunRoster({"get", "zz"}).code, kExitNotFound);
  const Outcome several = RunRoster({"get", "id-of-web"});
  EXPECT_EQ(several.code, kExitError);
  EXPECT_THAT(several.err, HasSubstr("id-of-web-2"));
}

TEST_F(ProgramTest, LookupByEachIdentity) {
  pins_->Add(5, 1, 100, 200, 300, "web");
  for (const auto& [flag, value] : {std::pair<const char*, const char*>{"--mntns", "mnt:[100]"},
                                    {"--netns", "200"},
                                    {"--cgroup", "300"}}) {
    const Outcome outcome =
        RunRoster({"lookup", flag, value, "-o", "columns=name", "--no-headers"}, false, false);
    EXPECT_EQ(outcome.out, "web\n") << flag << outcome.err;
  }
  const Outcome nobody = RunRoster({"lookup", "--mntns", "999"}, false, false);
  EXPECT_EQ(nobody.code, kExitNotFound);
  EXPECT_THAT(nobody.err, HasSubstr("999"));
}

TEST_F(ProgramTest, LookupOfAProcessThatIsNotThereIsNotFound) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, nullptr, 0);
  const Outcome outcome = RunRoster({"lookup", "--pid", std::to_string(child)}, false, false);
  EXPECT_EQ(outcome.code, kExitNotFound);
  EXPECT_THAT(outcome.err, HasSubstr(std::to_string(child)));
}

TEST_F(ProgramTest, DoctorExplainsEachCounterOfTrouble) {
  std::vector<uint64_t> per_cpu(static_cast<size_t>(sysconf(_SC_NPROCESSORS_CONF)) + 64, 0);
  per_cpu[0] = 3;
  const uint32_t full = ROSTER_STAT_MNTNS_FULL;
  ASSERT_EQ(bpf_map_update_elem(pins_->fd("roster_stats"), &full, per_cpu.data(), BPF_ANY), 0);
  const Checks checks = CheckCounters(paths());
  ASSERT_EQ(checks.size(), 1u);
  EXPECT_EQ(checks[0].verdict, Verdict::kWarning);
  EXPECT_EQ(checks[0].name, "roster_mntns full");
  EXPECT_THAT(checks[0].detail, HasSubstr("3:"));
}

TEST_F(ProgramTest, DoctorTellsOfDaemonAndPins) {
  EXPECT_EQ(CheckDaemon(paths()).verdict, Verdict::kFailure);
  EXPECT_THAT(CheckPins(paths()).detail, HasSubstr("the daemon was stopped"));
  pins_->abi()->boot_id[0] ^= 1;
  EXPECT_EQ(CheckPins(paths()).verdict, Verdict::kFailure);
  EXPECT_THAT(CheckPins(paths()).advice, HasSubstr("uninstall"));
  Paths elsewhere = paths();
  elsewhere.pin_dir = "/tmp/nonexistent";
  EXPECT_EQ(CheckBpfFilesystem(elsewhere).verdict, Verdict::kFailure);
  EXPECT_EQ(CheckBpfFilesystem(paths()).verdict, Verdict::kGood);
}

TEST_F(ProgramTest, DoctorIsOneJsonArrayWithAVerdictEach) {
  const Outcome outcome = RunRoster({"doctor", "-o", "json"}, true);
  EXPECT_EQ(outcome.code, kExitError);  // there is no daemon
  EXPECT_THAT(outcome.out, HasSubstr("\"check\": \"daemon\""));
  EXPECT_THAT(outcome.out, HasSubstr("\"verdict\": \"failure\""));
}

TEST_F(ProgramTest, UninstallRemovesEveryPinAndTheState) {
  for (const char* sub : {"/links", "/internal", "/tracers", "/tracers/mine"}) {
    ASSERT_EQ(mkdir((pins_->dir() + sub).c_str(), 0700), 0);
  }
  ASSERT_EQ(bpf_obj_pin(pins_->fd("roster_abi"), (pins_->dir() + "/tracers/mine/mntnsset").c_str()),
            0);
  ASSERT_TRUE(AcquireDaemonLock(state_dir_, absl::ZeroDuration()).ok());  // released at once
  const Outcome dry = RunRoster({"uninstall", "--dry-run"}, true);
  EXPECT_THAT(dry.out, HasSubstr("tracers/mine/mntnsset"));
  EXPECT_EQ(access((pins_->dir() + "/roster_abi").c_str(), F_OK), 0);
  const Outcome outcome = RunRoster({"uninstall"}, true);
  EXPECT_EQ(outcome.code, kExitOk) << outcome.err;
  const std::string parent = pins_->dir().substr(0, pins_->dir().rfind('/'));
  EXPECT_NE(access(parent.c_str(), F_OK), 0);
  EXPECT_NE(access(state_dir_.c_str(), F_OK), 0);
}

TEST_F(ProgramTest, UninstallOfNothingIsFine) {
  ASSERT_EQ(RunRoster({"uninstall"}, true).code, kExitOk);
  const Outcome again = RunRoster({"uninstall"}, true);
  EXPECT_EQ(again.code, kExitOk);
  EXPECT_EQ(again.out, "nothing to remove\n");
}

TEST_F(ProgramTest, UninstallRefusesADirectoryThatHasSomethingElse) {
  ASSERT_EQ(bpf_obj_pin(pins_->fd("roster_abi"), (pins_->dir() + "/somebody_elses").c_str()), 0);
  const Outcome outcome = RunRoster({"uninstall", "--force"}, true);
  EXPECT_EQ(outcome.code, kExitError);
  EXPECT_THAT(outcome.err, HasSubstr("somebody_elses"));
  EXPECT_EQ(access((pins_->dir() + "/roster_abi").c_str(), F_OK), 0);
}

TEST_F(ProgramTest, UninstallRefusesADirectoryOnAnotherFileSystem) {
  Paths elsewhere = paths();
  elsewhere.pin_dir = state_dir_;
  EXPECT_EQ(PlanRemoval(elsewhere).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(ProgramTest, UninstallRefusesWhileADaemonLivesAndStopsItByForce) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t daemon = fork();
  if (daemon == 0) {
    auto lock = AcquireDaemonLock(state_dir_, absl::ZeroDuration());
    [[maybe_unused]] const ssize_t n = write(ready[1], "x", 1);
    pause();
    _exit(0);
  }
  char byte;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  const Outcome refused = RunRoster({"uninstall"}, true);
  EXPECT_EQ(refused.code, kExitError);
  EXPECT_THAT(refused.err, HasSubstr(absl::StrCat("pid ", daemon)));
  EXPECT_EQ(access((pins_->dir() + "/roster_abi").c_str(), F_OK), 0);
  const Outcome forced = RunRoster({"uninstall", "--force"}, true);
  EXPECT_THAT(forced.out, HasSubstr("stopped the daemon"));
  int status = 0;
  waitpid(daemon, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
  EXPECT_NE(access((pins_->dir() + "/roster_abi").c_str(), F_OK), 0);
}

// A number in a file is not believed: the process may be anybody by now.
TEST_F(ProgramTest, UninstallByForceEndsNobodyWhoIsOnlySaidToBeTheDaemon) {
  const pid_t stranger = fork();
  if (stranger == 0) {
    pause();
    _exit(0);
  }
  {
    auto lock = AcquireDaemonLock(state_dir_, absl::ZeroDuration());
    ASSERT_TRUE(lock.ok());
    const std::string text = absl::StrCat(stranger, "\n");
    ASSERT_EQ(pwrite(lock->get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    const Outcome outcome = RunRoster({"uninstall", "--force"}, true);
    EXPECT_EQ(outcome.code, kExitError);
    EXPECT_THAT(outcome.err, HasSubstr(absl::StrCat("not by process ", stranger)));
  }
  unlink((state_dir_ + "/daemon.lock").c_str());
  timespec now = {};
  clock_gettime(CLOCK_BOOTTIME, &now);
  const uint64_t now_ns = static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
  pins_->abi()->daemon_pid = static_cast<uint32_t>(stranger);
  pins_->abi()->daemon_start_ns = pins_->abi()->heartbeat_ns = now_ns;
  const Outcome outcome = RunRoster({"uninstall", "--force"}, true);
  EXPECT_EQ(outcome.code, kExitError);
  EXPECT_THAT(outcome.err, HasSubstr("no roster daemon"));
  EXPECT_EQ(waitpid(stranger, nullptr, WNOHANG), 0) << "it was ended";
  EXPECT_EQ(access((pins_->dir() + "/roster_abi").c_str(), F_OK), 0);
  kill(stranger, SIGKILL);
  waitpid(stranger, nullptr, 0);
}

TEST_F(ProgramTest, ListThatIsWatchedSaysWhatHappenedWhereAsked) {
  ListSource source;
  source.Publish(EventType::kCreated, MakeContainer("aaa", "first"));
  auto server = GrpcServer::Start(socket_, &source, {.version = "9"});
  ASSERT_TRUE(server.ok()) << server.status();
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  signal(SIGPIPE, SIG_IGN);
  fflush(stdout);
  const int saved = dup(STDOUT_FILENO);
  dup2(ends[1], STDOUT_FILENO);
  close(ends[1]);
  std::string said;
  std::thread reader([&] {
    // Each event again until it is told: nothing says when the watch has begun.
    const auto publish_until = [&](EventType type, const std::string& id, const char* word) {
      for (int i = 0; i < 500 && said.find(word) == std::string::npos; ++i) {
        source.Publish(type, MakeContainer(id, "first"));
        pollfd wait = {.fd = ends[0], .events = POLLIN, .revents = 0};
        char text[4096];
        if (poll(&wait, 1, 20) > 0)
          said.append(text, static_cast<size_t>(read(ends[0], text, sizeof(text))));
      }
    };
    publish_until(EventType::kUpdated, "aaa", "MODIFIED");
    publish_until(EventType::kDeleted, "aaa", "DELETED");
    // A line that nobody reads ends the command.
    close(ends[0]);
    source.Publish(EventType::kCreated, MakeContainer("bbb", "second"));
  });
  const std::string& socket = socket_;
  const char* argv[] = {"roster",   "list",         "-w",        "--output-watch-events",
                        "-o",       "columns=name", "--sort",    "name",
                        "--socket", socket.c_str(), "--pin-dir", pins_->dir().c_str()};
  const int code = RunCli(std::size(argv), argv);
  reader.join();
  clearerr(stdout);
  dup2(saved, STDOUT_FILENO);
  close(saved);
  EXPECT_EQ(code, kExitOk);
  EXPECT_THAT(said, ::testing::StartsWith("EVENT      NAME\nADDED      first\n"));
  EXPECT_THAT(said, HasSubstr("\nMODIFIED   first\n"));
  EXPECT_THAT(said, HasSubstr("\nDELETED    first\n"));
}

TEST_F(ProgramTest, UninstallLeavesWhatIsNotOursInTheStateDirectory) {
  std::ofstream(state_dir_ + "/precious") << "x";
  ASSERT_TRUE(AcquireDaemonLock(state_dir_, absl::ZeroDuration()).ok());
  RunRoster({"uninstall"}, true);
  EXPECT_EQ(access((state_dir_ + "/precious").c_str(), F_OK), 0);
  EXPECT_NE(access((state_dir_ + "/daemon.lock").c_str(), F_OK), 0);
  unlink((state_dir_ + "/precious").c_str());
}

}  // namespace
}  // namespace roster::cli

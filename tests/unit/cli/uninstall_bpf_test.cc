// roster uninstall against real pins: what it removes, whom it stops, and what it leaves alone.
#include <bpf/bpf.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "cli/exit_code.h"
#include "cli/removal.h"
#include "daemon/daemon_lock.h"
#include "kernel/clock.h"
#include "unit/cli/program_fixture.h"

namespace roster::cli {
namespace {

using ::testing::HasSubstr;

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
  pins_->abi()->daemon_pid = static_cast<uint32_t>(stranger);
  pins_->abi()->daemon_start_ns = pins_->abi()->heartbeat_ns = BootTimeNs();
  const Outcome outcome = RunRoster({"uninstall", "--force"}, true);
  EXPECT_EQ(outcome.code, kExitError);
  EXPECT_THAT(outcome.err, HasSubstr("no roster daemon"));
  EXPECT_EQ(waitpid(stranger, nullptr, WNOHANG), 0) << "it was ended";
  EXPECT_EQ(access((pins_->dir() + "/roster_abi").c_str(), F_OK), 0);
  kill(stranger, SIGKILL);
  waitpid(stranger, nullptr, 0);
}

// A holder who has not written his number yet, or never does, may be anybody.
TEST_F(ProgramTest, UninstallByForceRefusesALockThatDoesNotSayWhoHoldsIt) {
  auto lock = AcquireDaemonLock(state_dir_, absl::ZeroDuration());
  ASSERT_TRUE(lock.ok()) << lock.status();
  ASSERT_EQ(ftruncate(lock->get(), 0), 0);
  const Outcome outcome = RunRoster({"uninstall", "--force"}, true);
  EXPECT_EQ(outcome.code, kExitError);
  EXPECT_THAT(outcome.err, HasSubstr("does not say by whom"));
  EXPECT_EQ(access((pins_->dir() + "/roster_abi").c_str(), F_OK), 0);
}

// A daemon with another state directory is known by the pins alone: by its program, and by having
// been there before the pins were taken. Who got its number later is another's daemon, or its own
// command line.
TEST_F(ProgramTest, UninstallByForceEndsTheWriterOfThePinsButNobodyStartedAfterIt) {
  const std::string program = state_dir_ + "/roster";
  std::filesystem::copy_file("/bin/sleep", program);
  int executed[2];
  ASSERT_EQ(pipe2(executed, O_CLOEXEC), 0);
  const pid_t writer = fork();
  if (writer == 0) {
    execl(program.c_str(), "roster", "1000", nullptr);
    [[maybe_unused]] const ssize_t n = write(executed[1], "x", 1);
    _exit(1);
  }
  close(executed[1]);
  char failed;
  ASSERT_EQ(read(executed[0], &failed, 1), 0);  // the exec closes it
  close(executed[0]);
  const uint64_t started = BootTimeNs();
  constexpr uint64_t kSecond = 1'000'000'000;
  pins_->abi()->daemon_pid = static_cast<uint32_t>(writer);
  pins_->abi()->heartbeat_ns = started;
  pins_->abi()->daemon_start_ns = started - kSecond;
  const Outcome refused = RunRoster({"uninstall", "--force"}, true);
  EXPECT_EQ(refused.code, kExitError);
  EXPECT_THAT(refused.err, HasSubstr("no roster daemon"));
  EXPECT_EQ(waitpid(writer, nullptr, WNOHANG), 0) << "it was ended";
  EXPECT_EQ(access((pins_->dir() + "/roster_abi").c_str(), F_OK), 0);

  pins_->abi()->heartbeat_ns = BootTimeNs();
  pins_->abi()->daemon_start_ns = started;
  const Outcome forced = RunRoster({"uninstall", "--force"}, true);
  EXPECT_EQ(forced.code, kExitOk) << forced.err;
  EXPECT_THAT(forced.out, HasSubstr(absl::StrCat("stopped the daemon, pid ", writer)));
  int status = 0;
  EXPECT_EQ(waitpid(writer, &status, 0), writer);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
  unlink(program.c_str());
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

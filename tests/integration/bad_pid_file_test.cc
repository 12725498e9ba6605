// Pid files of every shape, and those that name somebody else.
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engines/command.h"
#include "engines/wait.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "integration/bad_input.h"
#include "integration/judge.h"
#include "integration/observer.h"

namespace roster::testing {
namespace {

namespace fs = std::filesystem;

// Each takes the place of the runtime's own file after `create`, before anybody has read that.
TEST_F(BadInput, PidFilesOfEveryShapeDisturbNobody) {
  struct Case {
    std::string name;
    std::function<void(const std::string&)> make;
    std::string log;  // what the daemon says of it; "": the daemon is asked about no such file
    int error = 0;    // of read(2)
  };
  const std::string kNotUnderstood = "pid file not understood";
  const std::vector<Case> cases = {
      {"pid-text", [](const std::string& p) { Write(p, "no number"); }, kNotUnderstood},
      {"pid-huge", [](const std::string& p) { Write(p, std::string(1 << 20, '9')); },
       kNotUnderstood},
      {"pid-signed", [](const std::string& p) { Write(p, "-1"); }, kNotUnderstood},
      {"pid-nul", [](const std::string& p) { Write(p, std::string(8, '\0')); }, kNotUnderstood},
      {"pid-other", [](const std::string& p) { Write(p, "1"); },
       "pid 1 in the pid file of pid-other"},
      {"pid-empty", [](const std::string& p) { Write(p, ""); }, ""},
      {"pid-link", [](const std::string& p) { fs::create_symlink("/proc/1/status", p); }, ""},
      {"pid-directory", [](const std::string& p) { fs::create_directory(p); }, "", EISDIR},
  };
  int marker = 430;
  for (const Case& bad : cases) {
    SCOPED_TRACE(bad.name);
    const std::string bundle = GoodBundle(bad.name, ++marker), path = bundle + "/pid";
    auto created = Runc({"create", "--pid-file", path, "--bundle", bundle, bad.name});
    ROSTER_ASSERT_OK(created);
    ASSERT_EQ(created->exit_code, 0) << created->err;
    const uint64_t counted = roster_->Stat(ROSTER_STAT_BAD_BUNDLE).value_or(0);
    const size_t logged = roster_->Log().size();
    fs::remove(path);
    bad.make(path);
    int error = 0;
    ReadOnce(path, &error);
    EXPECT_EQ(error, bad.error) << "the read was refused";
    const std::string log = roster_->Log().substr(logged);
    EXPECT_EQ(roster_->Stat(ROSTER_STAT_BAD_BUNDLE).value_or(0), counted + !bad.log.empty());
    if (bad.log.empty()) {
      EXPECT_THAT(log, ::testing::Not(::testing::HasSubstr("pid file")));
    } else {
      EXPECT_THAT(log, ::testing::HasSubstr(bad.log));
    }
    // Neither believed nor the container's loss.
    auto started = Runc({"start", bad.name});
    ROSTER_ASSERT_OK(started);
    EXPECT_EQ(started->exit_code, 0) << started->err;
    auto call = observer_->Await(marker, In(absl::Seconds(10)));
    ROSTER_ASSERT_OK(call);
    for (const Found* found : {&call->by_task, &call->by_mntns, &call->by_cgroup}) {
      EXPECT_EQ(found->id, bad.name);
    }
    ROSTER_ASSERT_OK(Runc({"delete", "--force", bad.name}));
  }
  ExpectAGoodContainerIsRight();
  ExpectNothingLeft();
}

TEST_F(BadInput, PidsThatAreNotTheInitsAreNamedAndTheStartIsStillRight) {
  auto older = StartContainers(engine_.get(), StartMode::kRun, 1, 1, "older", 410, observer_.get());
  ROSTER_ASSERT_OK(older);
  auto older_pid = engine_->Pid("older0");
  ROSTER_ASSERT_OK(older_pid);
  auto ended = Process::Spawn({"true"});
  ROSTER_ASSERT_OK(ended);
  const pid_t dead = ended->pid();
  ROSTER_ASSERT_OK(ended->Wait(In(absl::Seconds(10))));
  const struct {
    std::string name;
    pid_t pid;  // 0: of a container that is started after this one was created
  } lies[] = {
      {"lie-host", ::getpid()}, {"lie-older", *older_pid}, {"lie-dead", dead}, {"lie-younger", 0}};
  int marker = 420;
  for (const auto& lie : lies) {
    SCOPED_TRACE(lie.name);
    const std::string bundle = GoodBundle(lie.name, ++marker);
    auto created = Runc({"create", "--pid-file", bundle + "/pid", "--bundle", bundle, lie.name});
    ROSTER_ASSERT_OK(created);
    ASSERT_EQ(created->exit_code, 0) << created->err;
    pid_t pid = lie.pid;
    if (pid == 0) {
      auto younger =
          StartContainers(engine_.get(), StartMode::kRun, 1, 1, "younger", 411, observer_.get());
      ROSTER_ASSERT_OK(younger);
      auto younger_pid = engine_->Pid("younger0");
      ROSTER_ASSERT_OK(younger_pid);
      pid = *younger_pid;
    }
    Write(bundle + "/pid", std::to_string(pid));
    int error = 0;
    EXPECT_EQ(ReadOnce(bundle + "/pid", &error), std::to_string(pid)) << std::strerror(error);
    EXPECT_THAT(roster_->Log(),
                ::testing::HasSubstr(absl::StrCat("pid ", pid, " in the pid file of ", lie.name)));
    ROSTER_ASSERT_OK(Runc({"start", lie.name}));
    auto call = observer_->Await(marker, In(absl::Seconds(10)));
    ROSTER_ASSERT_OK(call);
    for (const Found* found : {&call->by_task, &call->by_mntns, &call->by_cgroup}) {
      EXPECT_EQ(found->id, lie.name);
    }
    ROSTER_ASSERT_OK(Runc({"delete", "--force", lie.name}));
  }
  // What was lied about is what it was.
  auto list = roster_->List();
  ROSTER_ASSERT_OK(list);
  EXPECT_EQ(NumberField((*list)["older0"], "mntns"), (*older)[0].call.mntns);
  ROSTER_ASSERT_OK(engine_->Remove("younger0"));
  ROSTER_ASSERT_OK(RemoveContainers(engine_.get(), *older, 1));
  ExpectNothingLeft();
}

TEST_F(BadInput, PidFileThatAnotherUserWroteIsNotBelieved) {
  const std::string bundle = GoodBundle("pid-stranger", 403);
  auto stranger = Process::Spawn({"unshare", "--mount", "sleep", "600"});
  ROSTER_ASSERT_OK(stranger);
  const std::string path = bundle + "/pid";
  ROSTER_ASSERT_OK(Runc({"create", "--pid-file", path, "--bundle", bundle, "pid-stranger"}));
  Write(path, absl::StrCat(stranger->pid()));
  ASSERT_EQ(::chown(path.c_str(), 65534, 65534), 0);
  int error = 0;
  EXPECT_EQ(ReadOnce(path, &error), std::to_string(stranger->pid())) << std::strerror(error);
  auto lookup = RunCommand({RosterUnderTest::Program(), "lookup", "--pid",
                            absl::StrCat(stranger->pid()), "--pin-dir", roster_->pin_directory()});
  ROSTER_ASSERT_OK(lookup);
  EXPECT_EQ(lookup->exit_code, 3) << lookup->out;
  EXPECT_THAT(roster_->Log(), ::testing::HasSubstr("pid file not believed"));
  ROSTER_ASSERT_OK(Runc({"delete", "--force", "pid-stranger"}));
  ExpectAGoodContainerIsRight();
  ExpectNothingLeft();
}

TEST_F(BadInput, PidFileThatIsAFifoDoesNotBlockTheDaemon) {
  const std::string bundle = GoodBundle("pid-fifo", 401);
  ASSERT_EQ(::mkfifo((bundle + "/pid").c_str(), 0600), 0);
  auto runtime = Process::Spawn(runc_->CommandLine(
      {"create", "--pid-file", bundle + "/pid", "--bundle", bundle, "pid-fifo"}));
  ROSTER_ASSERT_OK(runtime);
  ExpectAGoodContainerIsRight();
  runtime = Process();  // killed if it still waits
  ROSTER_ASSERT_OK(Runc({"delete", "--force", "pid-fifo"}));
  ExpectAGoodContainerIsRight();
  ExpectNothingLeft();
}

}  // namespace
}  // namespace roster::testing

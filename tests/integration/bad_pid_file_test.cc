// Pid files of every shape, and those that name somebody else.
#include <sys/stat.h>
#include <unistd.h>

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

TEST_F(BadInput, PidFilesOfEveryShapeDisturbNobody) {
  struct Case {
    std::string name;
    std::function<void(const std::string&)> make;
  };
  const std::vector<Case> cases = {
      {"pid-directory", [](const std::string& p) { fs::create_directory(p); }},
      {"pid-link", [](const std::string& p) { fs::create_symlink("/proc/1/status", p); }},
      {"pid-text", [](const std::string& p) { Write(p, "not a number"); }},
      {"pid-huge", [](const std::string& p) { Write(p, std::string(1 << 20, '9')); }},
      {"pid-other", [](const std::string& p) { Write(p, "1"); }},
  };
  for (const Case& bad : cases) {
    SCOPED_TRACE(bad.name);
    const std::string bundle = GoodBundle(bad.name, 400);
    bad.make(bundle + "/pid");
    absl::Duration took;
    auto result =
        Runc({"create", "--pid-file", bundle + "/pid", "--bundle", bundle, bad.name}, &took);
    ROSTER_ASSERT_OK(result);
    EXPECT_LT(took, absl::Seconds(2) * TimeScale());
    // Whoever reads the pid file between create and start, as a shim does.
    auto read = RunCommand({"cat", bundle + "/pid"});
    ROSTER_ASSERT_OK(read);
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
    ROSTER_ASSERT_OK(RunCommand({"cat", bundle + "/pid"}));
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
  ROSTER_ASSERT_OK(RunCommand({"cat", path}));
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

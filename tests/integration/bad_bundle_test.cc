// What a runtime, or somebody who plays one, can hand to the live daemon: each ends in a log line
// that names it, no runtime is refused or held past the deadline, and the next good container is
// right.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engines/host_state.h"
#include "engines/image.h"
#include "engines/oci_bundle.h"
#include "engines/oci_engine.h"
#include "integration/roster_test_base.h"

namespace roster::testing {
namespace {

namespace fs = std::filesystem;

struct BadBundle {
  std::string name;
  // Makes `bundle`/config.json, or whatever takes its place.
  std::function<void(const std::string& bundle)> make;
};

void Write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::vector<BadBundle> BadBundles() {
  return {
      {"empty", [](const std::string& b) { Write(b + "/config.json", ""); }},
      {"truncated",
       [](const std::string& b) {
         Write(b + "/config.json", R"({"ociVersion":"1.0.2","process":{"ar)");
       }},
      {"no-object", [](const std::string& b) { Write(b + "/config.json", "[1,2,3]"); }},
      {"wrong-types",
       [](const std::string& b) {
         Write(b + "/config.json",
               R"({"annotations":[1],"linux":"x","hostname":{},"process":7,"root":[]})");
       }},
      {"huge",
       [](const std::string& b) {
         Write(b + "/config.json", "{\"a\":\"" + std::string(17 << 20, 'x') + "\"}");
       }},
      {"deep", [](const std::string& b) { Write(b + "/config.json", std::string(200000, '[')); }},
      {"directory", [](const std::string& b) { fs::create_directory(b + "/config.json"); }},
      {"link-out",
       [](const std::string& b) { fs::create_symlink("/etc/shadow", b + "/config.json"); }},
      {"link-loop",
       [](const std::string& b) { fs::create_symlink("config.json", b + "/config.json"); }},
      {"device", [](const std::string& b) { fs::create_symlink("/dev/zero", b + "/config.json"); }},
      {"gone", [](const std::string&) {}},
  };
}

class BadInput : public RosterTestBase {
 protected:
  void SetUp() override {
    RosterTestBase::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    StartAll(EngineKind::kRunc);
    if (HasFatalFailure()) return;
    runc_ = static_cast<OciEngine*>(engine_.get());
  }

  // The runtime's own verdict on `arguments`, and how long it took.
  absl::StatusOr<CommandResult> Runc(const std::vector<std::string>& arguments,
                                     absl::Duration* took = nullptr) {
    absl::Time begin = absl::Now();
    auto result = RunCommand(runc_->CommandLine(arguments));
    if (took != nullptr) *took = absl::Now() - begin;
    return result;
  }

  // A container like any other is still found under its own name.
  void ExpectAGoodContainerIsRight() {
    static int number = 0;
    const int marker = 500 + number++ % 100;
    auto containers = StartContainers(engine_.get(), StartMode::kRun, 1, 1,
                                      absl::StrCat("good", marker, "-"), marker, observer_.get());
    ROSTER_ASSERT_OK(containers);
    Verdict verdict = Decide(*containers);
    EXPECT_EQ(verdict.by_task.right, 1) << ToText(verdict);
    EXPECT_EQ(verdict.by_mntns.right, 1) << ToText(verdict);
    EXPECT_EQ(verdict.by_cgroup.right, 1) << ToText(verdict);
    ROSTER_ASSERT_OK(RemoveContainers(engine_.get(), *containers, 1));
  }

  std::string MakeBundleDirectory(const std::string& name) {
    return workspace_->MakeDirectory("bad/" + name);
  }
  // A bundle that runs `marker`, as runc wants it, with `change` applied.
  std::string GoodBundle(const std::string& name, int marker,
                         const std::function<void(nlohmann::json*)>& change = nullptr) {
    nlohmann::json config =
        OciConfig({name.substr(0, 60), {MarkerPath(marker), "wait"}}, runc_->image().rootfs,
                  runc_->CgroupsPath(name.substr(0, 60)));
    if (change) change(&config);
    std::string bundle = MakeBundleDirectory(name.substr(0, 60));
    EXPECT_TRUE(WriteBundle(bundle, config).ok());
    return bundle;
  }

  OciEngine* runc_ = nullptr;
};

TEST_F(BadInput, BundlesThatCannotBeReadAreNamedInTheLogAndHoldNobodyUp) {
  for (const BadBundle& bad : BadBundles()) {
    SCOPED_TRACE(bad.name);
    const std::string bundle = MakeBundleDirectory(bad.name);
    bad.make(bundle);
    absl::Duration took;
    auto result = Runc({"create", "--bundle", bundle, "id-" + bad.name}, &took);
    ROSTER_ASSERT_OK(result);
    // runc itself refuses them; what it must not say is that it was not permitted to run.
    EXPECT_NE(result->exit_code, 0);
    EXPECT_LT(took, absl::Seconds(2) * TimeScale());
    EXPECT_THAT(roster_->Log(), ::testing::HasSubstr(bundle)) << "no log line names the bundle";
    EXPECT_THAT(roster_->Log(), ::testing::Not(::testing::HasSubstr("root:")));
  }
  ExpectAGoodContainerIsRight();
  ExpectNothingLeft();
}

TEST_F(BadInput, FifoInPlaceOfConfigJsonBlocksTheRuntimeButNotTheDaemon) {
  const std::string bundle = MakeBundleDirectory("fifo");
  ASSERT_EQ(::mkfifo((bundle + "/config.json").c_str(), 0600), 0);
  auto runtime = Process::Spawn(runc_->CommandLine({"create", "--bundle", bundle, "id-fifo"}));
  ROSTER_ASSERT_OK(runtime);
  // The runtime waits for somebody to write into it; meanwhile everybody else is served.
  ExpectAGoodContainerIsRight();
  ExpectAGoodContainerIsRight();
  Fd writer(::open((bundle + "/config.json").c_str(), O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(writer.valid());
  writer.Reset();
  auto code = runtime->Wait(In(absl::Seconds(10)));
  ROSTER_ASSERT_OK(code);
  EXPECT_NE(*code, 0);
  EXPECT_THAT(roster_->Log(), ::testing::HasSubstr(bundle));
  ExpectNothingLeft();
}

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

TEST_F(BadInput, OddIdsAndArgumentsAreNeitherRefusedNorBelieved) {
  const std::string bundle = GoodBundle("odd", 402);
  std::vector<std::vector<std::string>> lines = {
      {"create", "--bundle", bundle, std::string(4096, 'a')},
      {"create", "--bundle", bundle, "../../etc/passwd"},
      {"create", "--bundle", bundle, "new\nline \x1b[31m"},
      {"create", "--bundle", bundle, "\xff\xfe\xfd"},
      {"create", "--bundle", bundle, ""},
      {"create", "--bundle"},
      {"create", "--bundle="},
      {"create"},
      {"--root"},
      {"create", "--bundle", std::string(100000, 'b'), "id"},
  };
  lines.emplace_back(10000, "word");
  lines.back()[0] = "create";
  lines.emplace_back(10000, "--bundle");
  for (const auto& line : lines) {
    absl::Duration took;
    auto result = Runc(line, &took);
    ROSTER_ASSERT_OK(result);
    EXPECT_LT(took, absl::Seconds(2) * TimeScale());
    EXPECT_THAT(result->err, ::testing::Not(::testing::HasSubstr("not permitted"))) << line[0];
  }
  // What came from outside must not reach a terminal as it is.
  EXPECT_THAT(roster_->Log(), ::testing::Not(::testing::HasSubstr("\x1b[31m")));
  auto list = roster_->List();
  ROSTER_ASSERT_OK(list);
  EXPECT_TRUE(list->empty());
  ExpectAGoodContainerIsRight();
  ExpectNothingLeft();
}

TEST_F(BadInput, AnIdOfMaximalLengthIsCutInTheRecordButWholeInTheList) {
  // runc allows up to 1024 bytes; a record holds 79. 200 bytes fit a cgroup's and a file's name.
  const std::string id(200, 'x');
  const std::string bundle = GoodBundle("long-id", 403);
  auto result = Runc({"run", "--detach", "--bundle", bundle, id});
  ROSTER_ASSERT_OK(result);
  if (result->exit_code != 0) GTEST_FAIL() << result->err;
  auto call = observer_->Await(403, In(absl::Seconds(10)));
  ROSTER_ASSERT_OK(call);
  EXPECT_NE(call->by_mntns.handle, 0u);
  ROSTER_EXPECT_OK(roster_->AwaitList("the whole id", In(absl::Seconds(5)),
                                      [&](const auto& list) { return list.contains(id); }));
  ROSTER_ASSERT_OK(Runc({"delete", "--force", id}));
  ExpectNothingLeft();
}

TEST_F(BadInput, OneIdUnderTwoRuntimesIsTwoContainers) {
  OciEngine crun("crun", *workspace_);
  ROSTER_ASSERT_OK(crun.Start());
  ROSTER_ASSERT_OK(runc_->Run({"twin", {MarkerPath(404), "wait"}}));
  ROSTER_ASSERT_OK(crun.Run({"twin", {MarkerPath(405), "wait"}}));
  auto first = observer_->Await(404, In(absl::Seconds(10)));
  auto second = observer_->Await(405, In(absl::Seconds(10)));
  ROSTER_ASSERT_OK(first);
  ROSTER_ASSERT_OK(second);
  EXPECT_EQ(first->by_mntns.id, "twin");
  EXPECT_EQ(second->by_mntns.id, "twin");
  EXPECT_NE(first->by_mntns.handle, second->by_mntns.handle);
  // The end of one is not the end of the other.
  ROSTER_ASSERT_OK(runc_->Remove("twin"));
  ROSTER_ASSERT_OK(crun.Exec("twin", {MarkerPath(406), "exit"}));
  auto joined = observer_->Await(406, In(absl::Seconds(10)));
  ROSTER_ASSERT_OK(joined);
  EXPECT_EQ(joined->by_mntns.handle, second->by_mntns.handle);
  EXPECT_EQ(joined->by_task.handle, second->by_mntns.handle);
  auto list = roster_->List();
  ROSTER_ASSERT_OK(list);
  EXPECT_TRUE(list->contains("twin"));
  ROSTER_ASSERT_OK(crun.Remove("twin"));
  ExpectNothingLeft();
}

// config.json claims to be another engine's container: nothing but its own name may come of it.
TEST_F(BadInput, LyingAnnotationsDoNotTakeAnothersPlace) {
  ROSTER_ASSERT_OK(runc_->Run({"victim", {MarkerPath(407), "wait"}}));
  auto victim = observer_->Await(407, In(absl::Seconds(10)));
  ROSTER_ASSERT_OK(victim);
  const std::string bundle = GoodBundle("liar", 408, [](nlohmann::json* config) {
    (*config)["annotations"] = {{"io.kubernetes.cri.container-type", "container"},
                                {"io.kubernetes.cri.sandbox-name", std::string(5000, 'p')},
                                {"io.kubernetes.cri.sandbox-namespace", "kube-system"},
                                {"io.kubernetes.cri.container-name", "victim"}};
  });
  auto result = Runc({"run", "--detach", "--bundle", bundle, "liar"});
  ROSTER_ASSERT_OK(result);
  ASSERT_EQ(result->exit_code, 0) << result->err;
  auto liar = observer_->Await(408, In(absl::Seconds(10)));
  ROSTER_ASSERT_OK(liar);
  EXPECT_EQ(liar->by_mntns.id, "liar");
  EXPECT_NE(liar->by_mntns.handle, victim->by_mntns.handle);
  auto list = roster_->List();
  ROSTER_ASSERT_OK(list);
  ASSERT_TRUE(list->contains("victim"));
  EXPECT_EQ(NumberField(list->at("victim"), "mntns"), victim->mntns);
  ROSTER_ASSERT_OK(Runc({"delete", "--force", "liar"}));
  ROSTER_ASSERT_OK(runc_->Remove("victim"));
  ExpectNothingLeft();
}

TEST_F(BadInput, RuntimeOfAnUnprivilegedUserIsNotBelieved) {
  const std::string bundle = GoodBundle("user", 409);
  fs::permissions(workspace_->directory(), fs::perms::all);
  fs::permissions(workspace_->Path("bad"), fs::perms::all);
  fs::permissions(bundle, fs::perms::all);
  // The real runtime's file, which is marked, run by nobody; and a program of its own under the
  // runtime's name.
  const std::string fake = workspace_->Path("runc-fake/runc");
  fs::create_directories(workspace_->Path("runc-fake"));
  const std::string states = workspace_->MakeDirectory("states-of-nobody");
  fs::permissions(states, fs::perms::all);
  fs::copy_file("/bin/busybox", fake);
  for (const std::string& program : {std::string("runc"), fake}) {
    auto result = RunCommand({"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                              program, "--root", states, "run", "--bundle", bundle, "forged"});
    ROSTER_ASSERT_OK(result);
    EXPECT_NE(result->exit_code, 0);
  }
  auto list = roster_->List();
  ROSTER_ASSERT_OK(list);
  EXPECT_FALSE(list->contains("forged"));
  auto pins = roster_->ReadPins();
  ROSTER_ASSERT_OK(pins);
  EXPECT_THAT(pins->MoreThan(before_), ::testing::IsEmpty());
  ExpectAGoodContainerIsRight();
  ExpectNothingLeft();
}

TEST_F(BadInput, RuntimesKilledAtAnyMomentLeaveNothing) {
  for (int i = 0; i < 2 * StartCount(); ++i) {
    const std::string name = absl::StrCat("killed", i);
    const std::string bundle = GoodBundle(name, 410 + i % 50);
    auto runtime =
        Process::Spawn(runc_->CommandLine({"run", "--detach", "--bundle", bundle, name}));
    ROSTER_ASSERT_OK(runtime);
    // Between its exec and its end, which takes some 30 ms, in even steps.
    WaitAny("a moment", {runtime->pidfd()}, absl::Now() + absl::Milliseconds(i % 40) * TimeScale())
        .status()
        .IgnoreError();
    if (runtime->running()) runtime->Signal(SIGKILL).IgnoreError();
    runtime->Wait(In(absl::Seconds(5))).status().IgnoreError();
    ROSTER_ASSERT_OK(Runc({"delete", "--force", name}));
  }
  // `runc init` processes whose runtime was killed end by themselves or with the cgroup's sweep;
  // what was started before it was recorded as state is no container that `runc delete` knows.
  for (const std::string& cgroup : CgroupDirectories(workspace_->unique_name())) {
    ROSTER_EXPECT_OK(RemoveCgroup(cgroup));
  }
  ExpectAGoodContainerIsRight();
  ExpectNothingLeft();
}

}  // namespace
}  // namespace roster::testing

// How a runtime is called: odd ids and arguments, one id twice, by whom, and calls that do not come
// to their end.
#include <signal.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engines/command.h"
#include "engines/host_state.h"
#include "engines/image.h"
#include "engines/oci_engine.h"
#include "engines/wait.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "integration/bad_input.h"

namespace roster::testing {
namespace {

namespace fs = std::filesystem;

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
    auto result = Runc(line);
    ROSTER_ASSERT_OK(result);
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
  // Processes that such a runtime has started may end after it.
  ExpectNothingLeft();
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

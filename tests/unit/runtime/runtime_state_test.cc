#include "runtime/runtime_state.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace roster {
namespace {

namespace fs = std::filesystem;
using ::testing::UnorderedElementsAre;

constexpr char kRunc[] =
    R"({"id":"x","init_process_pid":21652,"init_process_start":230259,"config":{"labels":["a=b","bundle=/b"]}})";
constexpr char kCrun[] = R"({"pid":21661,"process-start-time":230261,"bundle":"/b"})";
constexpr char kYouki[] =
    R"({"ociVersion":"v1.0.2","id":"x","status":"running","pid":7,"bundle":"/b"})";

constexpr char kRunsc[] =
    R"({"id":"x","bundleDir":"/b","status":2,"goferPid":8,"sandbox":{"id":"x","pid":9}})";

TEST(RuntimeState, EachRuntimesFileIsRead) {
  const RuntimeState runc = *ParseRuntimeState(kRunc, "x", false);
  EXPECT_EQ(runc.oci_runtime, "runc");
  EXPECT_EQ(runc.init_pid, 21652);
  EXPECT_EQ(runc.init_start_time_ticks, 230259u);
  EXPECT_EQ(runc.bundle, "/b");
  const RuntimeState crun = *ParseRuntimeState(kCrun, "x", true);
  EXPECT_EQ(crun.oci_runtime, "crun");
  EXPECT_EQ(crun.init_pid, 21661);
  EXPECT_EQ(crun.init_start_time_ticks, 230261u);
  EXPECT_EQ(crun.bundle, "/b");
  const RuntimeState youki = *ParseRuntimeState(kYouki, "x", false);
  EXPECT_EQ(youki.oci_runtime, "youki");
  EXPECT_EQ(youki.init_pid, 7);
  EXPECT_EQ(youki.init_start_time_ticks, 0u);
  const RuntimeState runsc = *ParseRuntimeState(kRunsc, "x", false);
  EXPECT_EQ(runsc.oci_runtime, "runsc");
  EXPECT_EQ(runsc.init_pid, 9);
  EXPECT_EQ(runsc.gofer_pid, 8);
  EXPECT_EQ(runsc.bundle, "/b");
}

TEST(RuntimeState, WhatIsNoStateIsRefused) {
  for (const char* text :
       {"", "[]", "{", "{}", R"({"pid":0})", R"({"pid":-5})", R"({"pid":"7"})",
        R"({"pid":99999999999})", R"({"id":"y","pid":7})", R"({"init_process_pid":"x"})"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseRuntimeState(text, "x", false).status())) << text;
  }
}

TEST(RuntimeState, LyingTypesDoNotThrow) {
  const RuntimeState state = *ParseRuntimeState(
      R"({"init_process_pid":5,"init_process_start":"z","config":{"labels":[1,null]}})", "x",
      false);
  EXPECT_EQ(state.init_start_time_ticks, 0u);
  EXPECT_EQ(state.bundle, "");
}

TEST(RuntimeState, AnotherProcessOrStartTimeIsNotItsInit) {
  RuntimeState state{"x", "runc", "/b", 5, 100};
  EXPECT_TRUE(IsInitOf(state, 5, 100));
  EXPECT_FALSE(IsInitOf(state, 6, 100));
  EXPECT_FALSE(IsInitOf(state, 5, 101));
  state.init_start_time_ticks = 0;
  EXPECT_TRUE(IsInitOf(state, 5, 101));
}

class RuntimeStateFileTest : public testing::Test {
 protected:
  void SetUp() override {
    if (getuid() != 0) GTEST_SKIP() << "needs root to own the files";
    std::string name = testing::TempDir() + "state_test_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
    fs::create_directory(root_ + "/x");
    chmod((root_ + "/x").c_str(), 0700);
    std::ofstream(root_ + "/x/state.json") << kRunc;
  }
  void TearDown() override {
    if (!root_.empty()) fs::remove_all(root_);
  }
  std::string root_;
};

TEST_F(RuntimeStateFileTest, RootsFileIsBelieved) {
  EXPECT_EQ(ReadRuntimeState(root_, "x")->init_pid, 21652);
  fs::remove(root_ + "/x/state.json");
  EXPECT_TRUE(absl::IsNotFound(ReadRuntimeState(root_, "x").status()));
  std::ofstream(root_ + "/x/status") << kCrun;
  EXPECT_EQ(ReadRuntimeState(root_, "x")->init_pid, 21661);
}

TEST_F(RuntimeStateFileTest, SomebodyElsesFileOrDirectoryIsNot) {
  ASSERT_EQ(chown((root_ + "/x/state.json").c_str(), 1000, 0), 0);
  EXPECT_TRUE(absl::IsPermissionDenied(ReadRuntimeState(root_, "x").status()));
  ASSERT_EQ(chown((root_ + "/x/state.json").c_str(), 0, 0), 0);
  chmod((root_ + "/x/state.json").c_str(), 0666);
  EXPECT_TRUE(absl::IsPermissionDenied(ReadRuntimeState(root_, "x").status()));
  chmod((root_ + "/x/state.json").c_str(), 0644);
  EXPECT_TRUE(ReadRuntimeState(root_, "x").ok());
  ASSERT_EQ(chown((root_ + "/x").c_str(), 1000, 0), 0);
  EXPECT_TRUE(absl::IsPermissionDenied(ReadRuntimeState(root_, "x").status()));
}

TEST_F(RuntimeStateFileTest, FifosAndLinksAreRefused) {
  fs::remove(root_ + "/x/state.json");
  ASSERT_EQ(mkfifo((root_ + "/x/state.json").c_str(), 0600), 0);
  EXPECT_TRUE(absl::IsFailedPrecondition(ReadRuntimeState(root_, "x").status()));
  fs::create_directory_symlink(root_ + "/x", root_ + "/link");
  EXPECT_FALSE(ReadRuntimeState(root_, "link").ok());
  EXPECT_FALSE(ReadRuntimeState(root_, "../x").ok());
}

TEST_F(RuntimeStateFileTest, RunscsStateIsAFileBesideTheOthers) {
  const std::string path = root_ + "/s_sandbox:s.state";
  std::ofstream(path) << R"({"id":"s","sandbox":{"id":"s","pid":9},"goferPid":8})";
  chmod(root_.c_str(), 0711);
  EXPECT_EQ(ReadRuntimeState(root_, "s")->init_pid, 9);
  // A pod's further container has no process of its own.
  std::ofstream(root_ + "/c_sandbox:s.state") << R"({"id":"c","sandbox":{"id":"s","pid":9}})";
  EXPECT_TRUE(absl::IsNotFound(ReadRuntimeState(root_, "c").status()));
  EXPECT_THAT(ListRuntimeStates(root_), UnorderedElementsAre("x", "s"));
  chmod(path.c_str(), 0666);
  EXPECT_TRUE(absl::IsPermissionDenied(ReadRuntimeState(root_, "s").status()));
  chmod(path.c_str(), 0640);
  chmod(root_.c_str(), 0777);
  EXPECT_TRUE(absl::IsPermissionDenied(ReadRuntimeState(root_, "s").status()));
}

TEST_F(RuntimeStateFileTest, TheIdsAreListed) {
  fs::create_directory(root_ + "/y");
  fs::create_directory(root_ + "/a b");
  EXPECT_THAT(ListRuntimeStates(root_), UnorderedElementsAre("x", "y"));
  EXPECT_TRUE(ListRuntimeStates(root_ + "/none").empty());
}

}  // namespace
}  // namespace roster

// The hook within this program, with pins of its own: misuse, problems, and what is left behind.
// Containers through it: tests/integration/embed_test.cc.
#include <bpf/bpf.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "kernel/fd.h"
#include "kernel/pins.h"
#include "own_process.h"
#include "roster/collection.h"

namespace roster {
namespace {

using ::roster::testing::CountThreads;
using ::roster::testing::OpenFiles;
using ::testing::HasSubstr;

uint32_t MapId(int fd) {
  bpf_map_info info = {};
  uint32_t length = sizeof(info);
  EXPECT_EQ(bpf_obj_get_info_by_fd(fd, &info, &length), 0);
  return info.id;
}

class HookOptionsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    hook_.pin_dir = absl::StrCat(ROSTER_BPFFS "/roster-hook-", getpid(), "/v1");
    hook_.ask_engines = false;
    const absl::Status made = MakePinDirectories(PinPaths(hook_.pin_dir));
    if (!made.ok()) GTEST_SKIP() << made;
  }
  void TearDown() override {
    std::error_code ignored;
    std::filesystem::remove_all(std::filesystem::path(hook_.pin_dir).parent_path(), ignored);
  }
  HookOptions hook_;
};

TEST_F(HookOptionsTest, MisuseIsAnErrorBeforeAnythingIsStarted) {
  HookOptions late = hook_;
  late.hold_deadline = absl::Microseconds(10);
  HookOptions relative = hook_;
  relative.pin_dir = "here";
  const std::vector<std::vector<Option>> wrong = {
      {WithContainerFanotifyEbpf(late)},
      {WithContainerFanotifyEbpf(relative)},
      {WithContainerFanotifyEbpf(hook_), WithContainerFanotifyEbpf(hook_)},
      {WithContainerFanotifyEbpf(hook_), WithRuncFanotify(hook_)},
      {WithRuncFanotify(hook_), WithContainerFanotifyEbpf(hook_)},
  };
  for (const std::vector<Option>& options : wrong) {
    ContainerCollection collection;
    const absl::Status status = collection.Initialize(options);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("option With"));
  }
  EXPECT_TRUE(std::filesystem::is_empty(hook_.pin_dir + "/links"));
}

TEST_F(HookOptionsTest, WhereThereIsNoBpfFileSystemTheErrorSaysSo) {
  HookOptions elsewhere = hook_;
  elsewhere.pin_dir = absl::StrCat(std::filesystem::temp_directory_path().string(), "/no-bpf");
  ContainerCollection collection;
  const absl::Status status = collection.Initialize(WithContainerFanotifyEbpf(elsewhere));
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("container hook"));
  // And the collection can be initialised without.
  EXPECT_TRUE(collection.Initialize(WithPubSub()).ok());
}

TEST_F(HookOptionsTest, OnePinDirectoryHasOneWriter) {
  ContainerCollection first;
  absl::Status status = first.Initialize(WithContainerFanotifyEbpf(hook_));
  ASSERT_TRUE(status.ok()) << status;
  ContainerCollection second;
  status = second.Initialize(WithContainerFanotifyEbpf(hook_));
  EXPECT_TRUE(absl::IsAlreadyExists(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(absl::StrCat("process ", getpid())));
  first.Close();
  status = second.Initialize(WithContainerFanotifyEbpf(hook_));
  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(HookOptionsTest, CloseLeavesThePinsAndNothingElse) {
  // What libraries open once and keep is no leak.
  {
    ContainerCollection warm;
    ASSERT_TRUE(warm.Initialize(WithRuncFanotify(hook_)).ok());
  }
  const std::vector<std::string> files = OpenFiles();
  const size_t threads = CountThreads();
  for (int i = 0; i < 3; ++i) {
    ContainerCollection collection;
    const absl::Status status = collection.Initialize(WithPubSub(), WithRuncFanotify(hook_));
    ASSERT_TRUE(status.ok()) << status;
    collection.Close();
    EXPECT_EQ(OpenFiles(), files);
    EXPECT_EQ(CountThreads(), threads);
  }
  EXPECT_TRUE(std::filesystem::exists(hook_.pin_dir + "/roster_slot"));
  EXPECT_FALSE(std::filesystem::is_empty(hook_.pin_dir + "/links"));
}

// Who names engines to ask does so for all containers; an empty list names none.
TEST_F(HookOptionsTest, AnEmptyListOfEnginesLeavesTheHookThoseThatItFinds) {
  // Those that it finds are asked by one more thread.
  const auto threads = [this](bool ask_engines, const std::vector<Option>& others) {
    hook_.ask_engines = ask_engines;
    std::vector<Option> options = {WithContainerFanotifyEbpf(hook_)};
    options.insert(options.end(), others.begin(), others.end());
    ContainerCollection collection;
    const absl::Status status = collection.Initialize(options);
    EXPECT_TRUE(status.ok()) << status;
    return CountThreads();
  };
  const size_t nobody_asks = threads(false, {});
  EXPECT_GT(threads(true, {WithMultipleContainerRuntimesEnrichment({})}), nobody_asks);
}

TEST_F(HookOptionsTest, WhatDoesNotWorkIsToldOrIsAnErrorWhereItMustWork) {
  hook_.runtime_paths = {"not/absolute"};
  std::vector<std::string> problems;
  hook_.on_problem = [&](std::string_view problem) { problems.emplace_back(problem); };
  {
    ContainerCollection collection;
    const absl::Status status = collection.Initialize(WithContainerFanotifyEbpf(hook_));
    EXPECT_TRUE(status.ok()) << status;
  }
  EXPECT_THAT(problems, ::testing::Contains(HasSubstr("not/absolute")));
  ContainerCollection collection;
  const absl::Status status = collection.Initialize(WithRuncFanotify(hook_));
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("not/absolute"));
}

TEST_F(HookOptionsTest, ATracersSetsArePinnedWhenTheHookComes) {
  auto tracers = std::make_shared<TracerCollection>(nullptr);
  ASSERT_TRUE(tracers->AddTracer("early", {}, {.mntns_set = true}).ok());
  ContainerCollection collection;
  // Whatever the order of the two.
  const absl::Status status =
      collection.Initialize(WithContainerFanotifyEbpf(hook_), WithTracerCollection(tracers));
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(std::filesystem::exists(hook_.pin_dir + "/tracers/early/mntnsset"));
  // The map itself, for a BPF object to take: the descriptor is another one for the pin's map.
  const absl::StatusOr<int> map = tracers->TracerMountNsMap("early");
  ASSERT_TRUE(map.ok()) << map.status();
  const Fd ours(*map);
  const Fd pinned(bpf_obj_get((hook_.pin_dir + "/tracers/early/mntnsset").c_str()));
  ASSERT_TRUE(pinned.valid());
  EXPECT_EQ(MapId(ours.get()), MapId(pinned.get()));
  EXPECT_TRUE(absl::IsFailedPrecondition(tracers->TracerCgroupMap("early").status()));
  EXPECT_TRUE(absl::IsNotFound(tracers->TracerMountNsMap("nobody").status()));
  ASSERT_TRUE(tracers->AddTracer("later", {}, {.cgroup_set = true}).ok());
  EXPECT_TRUE(std::filesystem::exists(hook_.pin_dir + "/tracers/later/cgroupset"));
  collection.Close();
  // The sink is gone: nothing of it is called.
  EXPECT_TRUE(tracers->RemoveTracer("early").ok());
  EXPECT_TRUE(std::filesystem::exists(hook_.pin_dir + "/tracers/early/mntnsset"));
  EXPECT_EQ(tracers->SinkErrors(), 0u);
}

}  // namespace
}  // namespace roster

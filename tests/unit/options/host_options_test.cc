// What the enrichers read of a container's init, below a host root that a test lays out.
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "kernel/clock.h"
#include "process/cgroup_id.h"
#include "roster/collection.h"
#include "temporary_directory.h"

namespace roster {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Container WithPid(const std::string& id, uint32_t pid) {
  Container container;
  container.runtime.container_id = id;
  container.runtime.container_pid = pid;
  return container;
}

uint64_t InodeOf(const std::string& path) {
  struct stat info = {};
  EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
  return info.st_ino;
}

class HostOptions : public ::testing::Test {
 protected:
  // The cgroup file system is the machine's own: its magic number cannot be laid out.
  void SetUp() override {
    std::filesystem::create_directories(root_.path() + "/sys/fs");
    std::filesystem::create_symlink("/sys/fs/cgroup", root_.path() + "/sys/fs/cgroup");
  }

  // Adds a container of this pid, and returns it as the collection has it.
  Container Add(uint32_t pid) {
    const absl::Status status = collection_.AddContainer(WithPid("a", pid));
    EXPECT_TRUE(status.ok()) << status;
    const ContainerPtr added = collection_.GetContainer("a");
    return added == nullptr ? Container() : *added;
  }
  Option Warnings() {
    return WithWarningHandler([this](std::string_view text) { warnings_.emplace_back(text); });
  }

  TemporaryDirectory root_;
  std::vector<std::string> warnings_;
  ContainerCollection collection_;
};

TEST_F(HostOptions, CgroupPathsAreThoseOfTheProcess) {
  root_.Write("proc/42/cgroup", "5:pids:/kube/x\n1:name=systemd:/kube/x\n0::/kube/y\n");
  ASSERT_TRUE(collection_.Initialize(Warnings(), WithCgroupEnrichment(root_.path())).ok());
  const Container added = Add(42);
  EXPECT_EQ(added.cgroup_v1, "/kube/x");
  EXPECT_EQ(added.cgroup_v2, "/kube/y");
  const auto hierarchy = CgroupMount();
  ASSERT_TRUE(hierarchy.ok()) << hierarchy.status();
  // As the host sees it, without where its root is mounted.
  EXPECT_EQ(added.cgroup_path,
            absl::StrCat(hierarchy->mount, hierarchy->v2 ? "/kube/y" : "/kube/x"));
  // There is no such cgroup on this machine: no id of another one's either (the reference takes the
  // root's).
  EXPECT_EQ(added.cgroup_id, 0u);
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("cgroup of container a")));
}

TEST_F(HostOptions, TheRootCgroupIsNone) {
  root_.Write("proc/42/cgroup", "1:name=systemd:/\n0::/\n");
  ASSERT_TRUE(collection_.Initialize(Warnings(), WithCgroupEnrichment(root_.path())).ok());
  const Container added = Add(42);
  EXPECT_EQ(added.cgroup_v1, "");
  EXPECT_EQ(added.cgroup_v2, "");
  EXPECT_EQ(added.cgroup_path, "");
  EXPECT_EQ(added.cgroup_id, 0u);
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("root of every cgroup hierarchy")));
}

TEST_F(HostOptions, ACgroupsIdIsTheInodeThatTheKernelHasForIt) {
  const auto hierarchy = CgroupMount();
  ASSERT_TRUE(hierarchy.ok()) << hierarchy.status();
  const std::string child = absl::StrCat("/roster-test-", getpid());
  if (::mkdir((hierarchy->mount + child).c_str(), 0755) != 0)
    GTEST_SKIP() << "no cgroup can be made";
  root_.Write("proc/42/cgroup",
              absl::StrCat("1:name=systemd:", child, "\n2:pids:", child, "\n0::", child, "\n"));
  ASSERT_TRUE(collection_.Initialize(Warnings(), WithCgroupEnrichment(root_.path())).ok());
  EXPECT_EQ(Add(42).cgroup_id, InodeOf(hierarchy->mount + child));
  ::rmdir((hierarchy->mount + child).c_str());
}

TEST_F(HostOptions, WithoutAPidOrAProcessTheContainerStaysAsItIs) {
  ASSERT_TRUE(collection_
                  .Initialize(Warnings(), WithCgroupEnrichment(root_.path()),
                              WithLinuxNamespaceEnrichment())
                  .ok());
  EXPECT_EQ(Add(0), WithPid("a", 0));
  EXPECT_THAT(warnings_, IsEmpty());
  // The largest number that no pid has.
  ASSERT_TRUE(collection_.AddContainer(WithPid("b", 4194305)).ok());
  EXPECT_EQ(*collection_.GetContainer("b"), WithPid("b", 4194305));
  EXPECT_EQ(warnings_.size(), 2u);
}

TEST_F(HostOptions, NamespacesAreTheInodesOfTheProcess) {
  const std::string host = root_.Write("proc/1/ns/net", "");
  const std::string mnt = root_.Write("proc/42/ns/mnt", "");
  const std::string net = root_.Write("proc/42/ns/net", "");
  root_.Write("proc/43/ns/mnt", "");
  std::filesystem::create_hard_link(host, root_.path() + "/proc/43/ns/net");
  ASSERT_TRUE(collection_.Initialize(Warnings(), WithLinuxNamespaceEnrichment(root_.path())).ok());
  const Container added = Add(42);
  EXPECT_EQ(added.mntns, InodeOf(mnt));
  EXPECT_EQ(added.netns, InodeOf(net));
  EXPECT_FALSE(added.host_network);
  ASSERT_TRUE(collection_.AddContainer(WithPid("b", 43)).ok());
  EXPECT_TRUE(collection_.GetContainer("b")->host_network);
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(HostOptions, AHostThatCannotBeReadIsAnError) {
  const absl::Status status = collection_.Initialize(WithLinuxNamespaceEnrichment("/nowhere"));
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("WithLinuxNamespaceEnrichment: /nowhere"));
}

// Part 2: the start time is the time at which somebody last looked up a directory in /proc.
TEST_F(HostOptions, TheStartIsWhenTheProcessWasStartedHoweverLateItIsLookedAt) {
  constexpr uint64_t kSecond = 1'000'000'000;
  root_.Write("proc/42/stat",
              absl::StrCat("42 (a) b) S 1 42 42 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 ",
                           90 * sysconf(_SC_CLK_TCK), " 1000 1 2 3\n"));
  ASSERT_TRUE(collection_.Initialize(WithProcEnrichment(root_.path())).ok());
  const int64_t started = Add(42).runtime.container_started_at;
  // Where boot is on the wall clock is read anew each time.
  EXPECT_LT(std::abs(started - RealTimeOf(90 * kSecond)), 20'000'000);
}

TEST_F(HostOptions, TheStartOfThisProcessIsInThePast) {
  const int64_t now = absl::GetCurrentTimeNanos();
  ASSERT_TRUE(collection_.Initialize(WithProcEnrichment()).ok());
  const int64_t own = Add(static_cast<uint32_t>(getpid())).runtime.container_started_at;
  EXPECT_LE(own, now + 100'000'000);
  EXPECT_GT(own, now - int64_t{600} * 1'000'000'000);
}

TEST_F(HostOptions, ProcDropsWhatHasNoProcess) {
  ASSERT_TRUE(collection_.Initialize(WithProcEnrichment()).ok());
  for (const uint32_t pid : {0u, 4194305u}) {
    const absl::Status status = collection_.AddContainer(WithPid("a", pid));
    EXPECT_TRUE(absl::IsAborted(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("proc"));
  }
  EXPECT_EQ(collection_.ContainerLen(), 0u);
}

}  // namespace
}  // namespace roster

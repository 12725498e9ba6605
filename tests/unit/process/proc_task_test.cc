#include "process/proc_task.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "unit/process/child.h"

namespace roster {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

ProcTask OpenOrDie(pid_t pid) {
  absl::StatusOr<ProcTask> task = ProcTask::Open(pid);
  EXPECT_TRUE(task.ok()) << task.status();
  return *std::move(task);
}

TEST(ProcTask, DescribesTheCallerItself) {
  const ProcTask self = OpenOrDie(getpid());
  EXPECT_EQ(*self.Tgid(), getpid());
  EXPECT_EQ(*self.ParentPid(), getppid());
  EXPECT_EQ(*self.RealUid(), getuid());
  EXPECT_EQ(*self.EffectiveUid(), geteuid());
  EXPECT_EQ(*self.Comm(), "proc_task_test");
  EXPECT_EQ(*self.Exe(), std::filesystem::read_symlink("/proc/self/exe"));
  EXPECT_EQ(*self.CwdPath(), std::filesystem::current_path());
  EXPECT_EQ(*self.RootPath(), "/");
  EXPECT_GT(*self.StartTimeTicks(), 0u);
  EXPECT_EQ(self.Status()->ns_tgids.back(), getpid());
}

TEST(ProcTask, NamespaceInodesAreThoseOfTheNamespaceFiles) {
  const ProcTask self = OpenOrDie(getpid());
  const std::pair<NamespaceKind, const char*> kinds[] = {
      {NamespaceKind::kMnt, "mnt"},       {NamespaceKind::kNet, "net"},
      {NamespaceKind::kPid, "pid"},       {NamespaceKind::kUser, "user"},
      {NamespaceKind::kCgroup, "cgroup"},
  };
  for (const auto& [kind, name] : kinds) {
    struct stat info;
    ASSERT_EQ(stat(absl::StrCat("/proc/self/ns/", name).c_str(), &info), 0);
    EXPECT_EQ(*self.NamespaceInode(kind), info.st_ino) << name;
    EXPECT_TRUE(self.OpenNamespace(kind)->valid()) << name;
  }
}

TEST(ProcTask, RootAndCwdAreOpenedAsDirectories) {
  const ProcTask self = OpenOrDie(getpid());
  struct stat by_fd;
  struct stat by_path;
  ASSERT_EQ(fstat(self.OpenCwd()->get(), &by_fd), 0);
  ASSERT_EQ(stat(".", &by_path), 0);
  EXPECT_EQ(by_fd.st_ino, by_path.st_ino);
  ASSERT_EQ(fstat(self.OpenRoot()->get(), &by_fd), 0);
  ASSERT_EQ(stat("/", &by_path), 0);
  EXPECT_EQ(by_fd.st_ino, by_path.st_ino);
}

TEST(ProcTask, OpensAThreadThatIsNoGroupLeader) {
  std::thread thread([] {
    const pid_t tid = static_cast<pid_t>(syscall(SYS_gettid));
    ASSERT_NE(tid, getpid());
    EXPECT_EQ(*OpenOrDie(tid).Tgid(), getpid());
  });
  thread.join();
}

TEST(ProcTask, ACommWithParenthesesDoesNotShiftTheStartTime) {
  Child plain([] {});
  Child odd([] { prctl(PR_SET_NAME, ") 1 (2) x)"); });
  const ProcTask task = OpenOrDie(odd.pid());
  EXPECT_EQ(*task.Comm(), ") 1 (2) x)");
  const uint64_t before = *OpenOrDie(plain.pid()).StartTimeTicks();
  EXPECT_GE(*task.StartTimeTicks(), before);
  EXPECT_LE(*task.StartTimeTicks(), before + 1000);
}

TEST(ProcTask, AbsentTaskIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(ProcTask::Open(4194304).status()));
  EXPECT_TRUE(absl::IsNotFound(ProcTask::Open(-1).status()));
}

TEST(ProcTask, EverythingIsNotFoundOnceTheTaskHasEnded) {
  Child child([] {});
  const ProcTask task = OpenOrDie(child.pid());
  child.End();
  EXPECT_TRUE(absl::IsNotFound(task.Tgid().status())) << task.Tgid().status();
  EXPECT_TRUE(absl::IsNotFound(task.StartTimeTicks().status()));
  EXPECT_TRUE(absl::IsNotFound(task.Comm().status()));
  EXPECT_TRUE(absl::IsNotFound(task.Exe().status()));
  EXPECT_TRUE(absl::IsNotFound(task.OpenCwd().status()));
  EXPECT_TRUE(absl::IsNotFound(task.Cmdline().status()));
  EXPECT_TRUE(absl::IsNotFound(task.NamespaceInode(NamespaceKind::kMnt).status()));
  EXPECT_THAT(std::string(task.Exe().status().message()), HasSubstr("/exe"));
}

TEST(ProcTask, CmdlineKeepsEmptyWordsAndOddBytes) {
  int pipe_fds[2], input[2];
  ASSERT_EQ(pipe2(pipe_fds, O_CLOEXEC), 0);
  ASSERT_EQ(pipe2(input, O_CLOEXEC), 0);
  const pid_t shell = fork();
  if (shell == 0) {
    dup2(input[0], 0);  // on which nothing ever comes
    dup2(pipe_fds[1], 1);
    execl("/bin/sh", "sh", "-c", "echo x; read y", "", "\xff\xfe", "last", nullptr);
    _exit(1);
  }
  close(pipe_fds[1]);
  char byte;
  ASSERT_EQ(read(pipe_fds[0], &byte, 1), 1);
  EXPECT_THAT(*OpenOrDie(shell).Cmdline(),
              ElementsAre("sh", "-c", "echo x; read y", "", "\xff\xfe", "last"));
  kill(shell, SIGKILL);
  waitpid(shell, nullptr, 0);
  for (const int fd : {pipe_fds[0], input[0], input[1]}) close(fd);
}

TEST(ProcTask, CmdlineOfAKernelThreadIsEmpty) {
  const absl::StatusOr<ProcTask> kthreadd = ProcTask::Open(2);
  if (!kthreadd.ok() || *kthreadd->Comm() != "kthreadd")
    GTEST_SKIP() << "pid 2 is no kernel thread here";
  EXPECT_TRUE(kthreadd->Cmdline()->empty());
}

TEST(ProcTask, AnotherProcRootIsRead) {
  const std::string root = testing::TempDir() + "proc_task_root";
  std::filesystem::create_directories(root + "/7");
  std::ofstream(root + "/7/stat") << "7 (a) b) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4242 0 0\n";
  absl::StatusOr<ProcTask> task = ProcTask::Open(7, root);
  ASSERT_TRUE(task.ok()) << task.status();
  EXPECT_EQ(*task->StartTimeTicks(), 4242u);
  std::ofstream(root + "/7/stat") << "7 (a) S 1\n";
  EXPECT_EQ(task->StartTimeTicks().status().code(), absl::StatusCode::kInternal);
  std::filesystem::remove_all(root);
}

TEST(ParseStatFields, RefusesTextWithoutAComm) {
  EXPECT_FALSE(ParseStatFields("").ok());
  EXPECT_FALSE(ParseStatFields("1 sleep S 1").ok());
  EXPECT_FALSE(ParseStatFields("1 (sleep)").ok());
  EXPECT_THAT(*ParseStatFields("1 (a) b) S 2\n"), ElementsAre("S", "2"));
}

TEST(ParseCgroupFile, PrefersTheSystemdHierarchy) {
  const TaskCgroups cgroups = ParseCgroupFile(
      "9:cpu,cpuacct:/cpu\n8:pids:/p\n4:memory:/m\n2:name=systemd:/s:with:colons\n0::/two\n");
  EXPECT_EQ(cgroups.v1, "/s:with:colons");
  EXPECT_EQ(cgroups.v2, "/two");
  EXPECT_THAT(cgroups.all, ElementsAre("/cpu", "/p", "/m", "/s:with:colons", "/two"));
}

TEST(ParseCgroupFile, FallsBackToPidsMemoryAndAnyOther) {
  EXPECT_EQ(ParseCgroupFile("4:memory:/m\n8:pids:/p\n").v1, "/p");
  EXPECT_EQ(ParseCgroupFile("9:cpu:/c\n4:memory:/m\n").v1, "/m");
  EXPECT_EQ(ParseCgroupFile("9:cpu,cpuacct:/c\n").v1, "/c");
  EXPECT_EQ(ParseCgroupFile("0::/\n").v1, "");
  EXPECT_EQ(ParseCgroupFile("0::/\n").v2, "/");
}

TEST(ParseCgroupFile, SkipsLinesThatAreNone) {
  const TaskCgroups cgroups = ParseCgroupFile("nonsense\n\n5:pids\n0::/a");
  EXPECT_EQ(cgroups.v2, "/a");
  EXPECT_EQ(cgroups.v1, "");
  EXPECT_THAT(cgroups.all, ElementsAre("/a"));
}

}  // namespace
}  // namespace roster

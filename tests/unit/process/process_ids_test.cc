#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "process/cgroup_id.h"
#include "process/namespace_ids.h"
#include "process/proc_task.h"
#include "unit/process/child.h"

namespace roster {
namespace {

Fd OpenNamespaceOf(pid_t pid, NamespaceKind kind) {
  absl::StatusOr<ProcTask> task = ProcTask::Open(pid);
  if (!task.ok()) return Fd();
  absl::StatusOr<Fd> fd = task->OpenNamespace(kind);
  return fd.ok() ? *std::move(fd) : Fd();
}

TEST(MntnsId, DiffersBetweenNamespacesAndNotWithinOne) {
  const Fd own = OpenNamespaceOf(getpid(), NamespaceKind::kMnt);
  const uint64_t id = MntnsId(own.get());
  if (id == 0) GTEST_SKIP() << "this kernel has neither NS_GET_MNTNS_ID nor NS_GET_ID";
  EXPECT_EQ(id, MntnsId(own.get()));
  bool unshared = false;
  Child child([] {
    if (unshare(CLONE_NEWNS) != 0) _exit(1);
  });
  unshared = child.ready();
  if (!unshared) GTEST_SKIP() << "unshare is not permitted";
  EXPECT_NE(id, MntnsId(OpenNamespaceOf(child.pid(), NamespaceKind::kMnt).get()));
}

TEST(MntnsId, IsZeroForADescriptorThatIsNoNamespace) {
  const Fd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(MntnsId(null.get()), 0u);
  EXPECT_EQ(MntnsId(-1), 0u);
}

TEST(NetnsCookie, IsThatOfTheOtherNamespaceAndLeavesTheCallersAlone) {
  const uint64_t own = OwnNetnsCookie();
  if (own == 0) GTEST_SKIP() << "this kernel has no SO_NETNS_COOKIE";
  Child child([] {
    if (unshare(CLONE_NEWNET) != 0) _exit(1);
  });
  if (!child.ready()) GTEST_SKIP() << "unshare is not permitted";
  const uint64_t other = NetnsCookie(OpenNamespaceOf(child.pid(), NamespaceKind::kNet).get());
  EXPECT_NE(other, 0u);
  EXPECT_NE(other, own);
  EXPECT_EQ(NetnsCookie(OpenNamespaceOf(getpid(), NamespaceKind::kNet).get()), own);
  EXPECT_EQ(OwnNetnsCookie(), own);
}

TEST(NetnsCookie, IsZeroForADescriptorThatIsNoNamespace) { EXPECT_EQ(NetnsCookie(-1), 0u); }

TEST(CgroupMount, IsFoundWithItsHierarchy) {
  const absl::StatusOr<CgroupHierarchy> mount = CgroupMount();
  if (!mount.ok()) GTEST_SKIP() << mount.status();
  EXPECT_EQ(mount->v2, mount->controller.empty());
  EXPECT_TRUE(std::filesystem::exists(mount->mount +
                                      (mount->v2 ? "/cgroup.controllers" : "/cgroup.procs")));
}

TEST(CgroupMount, IsNotFoundWhereNothingIsMounted) {
  EXPECT_TRUE(absl::IsNotFound(CgroupMount(testing::TempDir()).status()));
}

TEST(CgroupIdOfPath, IsTheInodeNumberAndNewForANewCgroupOfTheSameName) {
  const absl::StatusOr<CgroupHierarchy> mount = CgroupMount();
  if (!mount.ok()) GTEST_SKIP() << mount.status();
  const std::string path = absl::StrCat(mount->mount, "/roster_cgroup_id_test_", getpid());
  if (mkdir(path.c_str(), 0755) != 0)
    GTEST_SKIP() << "no cgroup can be made below " << mount->mount;
  const absl::StatusOr<uint64_t> first = CgroupIdOfPath(path);
  struct stat info;
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  rmdir(path.c_str());
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(*first, info.st_ino);  // on 64-bit kernels the two are one number
  EXPECT_TRUE(absl::IsNotFound(CgroupIdOfPath(path).status()));
  ASSERT_EQ(mkdir(path.c_str(), 0755), 0);
  const absl::StatusOr<uint64_t> second = CgroupIdOfPath(path);
  rmdir(path.c_str());
  EXPECT_NE(*first, *second);
}

TEST(CgroupIdOfPath, RefusesADirectoryElsewhere) {
  const absl::StatusOr<uint64_t> id = CgroupIdOfPath("/proc");
  EXPECT_FALSE(id.ok());
  EXPECT_FALSE(CgroupIdOfPath(testing::TempDir()).ok());
}

}  // namespace
}  // namespace roster

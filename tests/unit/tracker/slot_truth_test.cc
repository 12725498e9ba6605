#include "tracker/slot_truth.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/clock.h"
#include "process/task_end.h"

namespace roster {
namespace {

// As if this process were a container's init.
roster_membership OwnSlot() {
  struct stat info = {};
  EXPECT_EQ(stat("/proc/self/ns/mnt", &info), 0);
  roster_membership slot = {};
  slot.state = ROSTER_BOUND;
  slot.init_pid = static_cast<uint32_t>(getpid());
  slot.mntns = info.st_ino;
  slot.bound_ns = BootTimeNs();
  return slot;
}

TEST(SlotTruthTest, AContainerWhoseInitLivesInItsMountNamespaceIsTrue) {
  EXPECT_TRUE(IsTrue(OwnSlot(), {}));
  roster_membership elsewhere = OwnSlot();
  ++elsewhere.mntns;
  EXPECT_FALSE(IsTrue(elsewhere, {}));
}

TEST(SlotTruthTest, AProcessYoungerThanTheContainerIsNotItsInit) {
  roster_membership slot = OwnSlot();
  slot.bound_ns = 1;
  EXPECT_FALSE(IsTrue(slot, {}));
  slot.bound_ns = 0;  // created, not started
  EXPECT_TRUE(IsTrue(slot, {}));
}

TEST(SlotTruthTest, AContainerThatHasLostItsInitIsTrueWhileOtherTasksLive) {
  roster_membership slot = OwnSlot();
  slot.state = ROSTER_EXITING;
  slot.init_pid = 0;
  EXPECT_TRUE(IsTrue(slot, {.nlive = 1}));
  EXPECT_FALSE(IsTrue(slot, {.nlive = 0}));
}

TEST(SlotTruthTest, OnlyWhatHasTasksOrALivingInitIsSeenToEnd) {
  const pid_t child = fork();
  if (child == 0) {
    for (;;) pause();
  }
  roster_membership slot = OwnSlot();
  slot.init_pid = static_cast<uint32_t>(child);
  slot.bound_ns = BootTimeNs();
  EXPECT_FALSE(HasEnded(child));
  EXPECT_TRUE(HasAnEnd(slot, {}));
  kill(child, SIGKILL);
  siginfo_t info;
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  EXPECT_TRUE(HasEnded(child)) << "a zombie";
  EXPECT_FALSE(HasAnEnd(slot, {}));
  EXPECT_TRUE(HasAnEnd(slot, {.ntasks = 1})) << "the kernel's programs tell";
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(HasEnded(child));
  EXPECT_FALSE(HasAnEnd(slot, {}));
}

}  // namespace
}  // namespace roster

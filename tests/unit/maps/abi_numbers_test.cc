// The numbers of the frozen ABI that no BTF holds: states, flags, counters, and what userspace
// checks the pins against.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "kernel/pins.h"
#include "roster_abi.h"
#include "unit/maps/published.h"

namespace roster {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

std::vector<uint32_t> Numbers(std::initializer_list<uint32_t> numbers) { return numbers; }

TEST(AbiNumbers, VersionAndPlace) {
  EXPECT_EQ(ROSTER_ABI_MAJOR, 1);
  EXPECT_EQ(ROSTER_ABI_MINOR, 0);
  EXPECT_STREQ(ROSTER_PIN_DIR, "/sys/fs/bpf/roster/v1");
  EXPECT_EQ(ROSTER_MAX_TRACERS, 128);
}

TEST(AbiNumbers, AHandleIsEpochAndSlot) {
  EXPECT_EQ(ROSTER_MAKE_HANDLE(2, 5), 0x200000005ULL);
  EXPECT_EQ(ROSTER_HANDLE_SLOT(0x200000005ULL), 5U);
  EXPECT_EQ(ROSTER_HANDLE_EPOCH(0x200000005ULL), 2U);
}

TEST(AbiNumbers, States) {
  EXPECT_THAT(Numbers({ROSTER_FREE, ROSTER_RESERVED, ROSTER_PENDING, ROSTER_BOUND, ROSTER_EXITING,
                       ROSTER_ENDED}),
              ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(AbiNumbers, FlagsOfAMembership) {
  EXPECT_THAT(
      Numbers({ROSTER_F_PROVISIONAL, ROSTER_F_HOST_NETWORK, ROSTER_F_HOST_PID, ROSTER_F_POD,
               ROSTER_F_NESTED, ROSTER_F_JOIN, ROSTER_F_SANDBOX, ROSTER_F_SHARED_MNTNS,
               ROSTER_F_SHARED_NETNS}),
      ElementsAre(1U << 0, 1U << 1, 1U << 2, 1U << 3, 1U << 5, 1U << 6, 1U << 7, 1U << 8, 1U << 9));
}

TEST(AbiNumbers, FlagsOfARecordAndTheHierarchy) {
  EXPECT_THAT(Numbers({ROSTER_R_TOMBSTONE, ROSTER_R_TRUNCATED, ROSTER_R_LABELS_TRUNCATED}),
              ElementsAre(1, 2, 4));
  EXPECT_EQ(ROSTER_CGROUP_DEFAULT, 0);
}

// 17, 19, and those from 26 on are nobody's yet.
TEST(AbiNumbers, Counters) {
  const std::map<uint32_t, std::string> counters = {
      {ROSTER_STAT_BOUND, "bound"},
      {ROSTER_STAT_PROVISIONAL, "provisional"},
      {ROSTER_STAT_JOINED, "joined"},
      {ROSTER_STAT_DROPPED, "dropped"},
      {ROSTER_STAT_ENDED, "ended"},
      {ROSTER_STAT_SLOTS_FULL, "slots full"},
      {ROSTER_STAT_MNTNS_FULL, "mntns full"},
      {ROSTER_STAT_NETNS_FULL, "netns full"},
      {ROSTER_STAT_CGROUP_FULL, "cgroup full"},
      {ROSTER_STAT_RECORD_FULL, "record full"},
      {ROSTER_STAT_LINEAGE_LOST, "lineage lost"},
      {ROSTER_STAT_TASK_STORAGE_LOST, "task storage lost"},
      {ROSTER_STAT_EVENTS_LOST, "events lost"},
      {ROSTER_STAT_STALE_LOOKUPS, "stale look-ups"},
      {ROSTER_STAT_HOLDS, "holds"},
      {ROSTER_STAT_HOLDS_EXPIRED, "holds expired"},
      {ROSTER_STAT_UNRESOLVED, "unresolved"},
      {ROSTER_STAT_BAD_BUNDLE, "bad bundle"},
      {ROSTER_STAT_SLOTS_FULL_DAEMON, "slots full, daemon"},
      {ROSTER_STAT_MNTNS_FULL_DAEMON, "mntns full, daemon"},
      {ROSTER_STAT_NETNS_FULL_DAEMON, "netns full, daemon"},
      {ROSTER_STAT_CGROUP_FULL_DAEMON, "cgroup full, daemon"},
      {ROSTER_STAT_CGROUPS_BOUND, "cgroups bound"},
      {ROSTER_STAT_TASKS_BOUND, "tasks bound"},
  };
  const std::map<uint32_t, std::string> frozen = {
      {0, "bound"},
      {1, "provisional"},
      {2, "joined"},
      {3, "dropped"},
      {4, "ended"},
      {5, "slots full"},
      {6, "mntns full"},
      {7, "netns full"},
      {8, "cgroup full"},
      {9, "record full"},
      {10, "lineage lost"},
      {11, "task storage lost"},
      {12, "events lost"},
      {13, "stale look-ups"},
      {14, "holds"},
      {15, "holds expired"},
      {16, "unresolved"},
      {18, "bad bundle"},
      {20, "slots full, daemon"},
      {21, "mntns full, daemon"},
      {22, "netns full, daemon"},
      {23, "cgroup full, daemon"},
      {24, "cgroups bound"},
      {25, "tasks bound"},
  };
  EXPECT_EQ(counters, frozen);
  EXPECT_EQ(ROSTER_STAT_MAX, 32);
}

TEST(AbiNumbers, WhatUserspaceChecksIsWhatIsPublished) {
  std::map<std::string, Shape> checked;
  std::vector<std::string> internal;
  for (const MapShape& shape : MapShapes()) {
    if (shape.internal) {
      internal.push_back(shape.name);
    } else {
      checked[shape.name] = {shape.type, shape.key_size, shape.value_size, shape.max_entries,
                             shape.flags};
    }
  }
  EXPECT_EQ(checked, Published());
  EXPECT_THAT(internal, UnorderedElementsAre("roster_hot", "roster_birth", "roster_lineage",
                                             "roster_arm", "roster_runtime", "roster_events"));
}

TEST(AbiNumbers, NamesFitTheKernelsLimit) {
  for (const MapShape& shape : MapShapes())
    EXPECT_LE(std::string(shape.name).size(), 15u) << shape.name;
}

}  // namespace
}  // namespace roster

// Reader against real maps, pinned in a BPF file system of the test's own.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <ctime>
#include <functional>

#include "absl/strings/str_cat.h"
#include "kernel/clock.h"
#include "roster/reader.h"
#include "unit/lookup/pins_fixture.h"

namespace roster {
namespace {

using ::testing::HasSubstr;

class ReaderTest : public TestPinsTest {
 protected:
  Reader OpenReader() {
    auto reader = Reader::Open(pins_->dir());
    EXPECT_TRUE(reader.ok()) << reader.status();
    return *std::move(reader);
  }
};

TEST_F(ReaderTest, EachIdentityLeadsToTheMemberWithItsRecord) {
  const uint64_t handle = pins_->Add(5, 1, 4026531841, 4026531992, 77, "web");
  Reader reader = OpenReader();
  for (auto member : {reader.FindByMntns(4026531841), reader.FindByNetns(4026531992),
                      reader.FindByCgroup(77), reader.Find(handle)}) {
    ASSERT_TRUE(member.ok()) << member.status();
    ASSERT_TRUE(member->has_value());
    EXPECT_EQ((*member)->handle, handle);
    EXPECT_EQ((*member)->membership.cgroup_id, 77u);
    EXPECT_STREQ((*member)->record.name, "web");
  }
}

TEST_F(ReaderTest, NobodyIsNulloptAndNotAnError) {
  Reader reader = OpenReader();
  for (auto member : {reader.FindByMntns(1), reader.FindByNetns(1), reader.FindByCgroup(1),
                      reader.Find(0), reader.Find(~0ULL), reader.FindByMntns(0)}) {
    ASSERT_TRUE(member.ok()) << member.status();
    EXPECT_FALSE(member->has_value());
  }
}

TEST_F(ReaderTest, RepeatedLookupMakesNoSystemCallWhileNothingChanges) {
  pins_->Add(5, 1, 100, 200, 300, "web");
  Reader reader = OpenReader();
  ASSERT_TRUE(reader.FindByMntns(100)->has_value());
  ASSERT_FALSE(reader.FindByMntns(101)->has_value());
  const uint64_t calls = reader.bpf_calls();
  EXPECT_EQ(calls, 3u);  // two keys and one record
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(reader.FindByMntns(100)->has_value());
    ASSERT_FALSE(reader.FindByMntns(101)->has_value());
  }
  EXPECT_EQ(reader.bpf_calls(), calls);
  // The kernel's word for it: strict seccomp kills whoever makes any call but read, write and exit.
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
    bool right = true;
    for (int i = 0; i < 1000; ++i) {
      right =
          right && reader.FindByMntns(100)->has_value() && !reader.FindByMntns(101)->has_value();
    }
    syscall(SYS_exit, right ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST_F(ReaderTest, ChangeMakesAnAbsentContainerAppearAndARecordNew) {
  Reader reader = OpenReader();
  ASSERT_FALSE(reader.FindByMntns(100)->has_value());
  const uint64_t before = reader.Changes();
  pins_->Add(5, 1, 100, 0, 0, "old");
  EXPECT_GT(reader.Changes(), before);
  EXPECT_STREQ((*reader.FindByMntns(100))->record.name, "old");
  pins_->Add(5, 1, 100, 0, 0, "new");
  EXPECT_STREQ((*reader.FindByMntns(100))->record.name, "new");
}

TEST_F(ReaderTest, StateIsNeverOlderThanTheCallEvenFromTheCache) {
  pins_->Add(5, 1, 100, 0, 0, "web");
  Reader reader = OpenReader();
  EXPECT_EQ((*reader.FindByMntns(100))->membership.state, ROSTER_BOUND);
  pins_->slot(5)->state = ROSTER_EXITING;  // not counted yet
  EXPECT_EQ((*reader.FindByMntns(100))->membership.state, ROSTER_EXITING);
}

TEST_F(ReaderTest, IdentityOfAFreedOrReusedSlotIsStale) {
  const uint64_t first = pins_->Add(5, 1, 100, 0, 0, "first");
  Reader reader = OpenReader();
  ASSERT_TRUE(reader.FindByMntns(100)->has_value());
  pins_->Remove(first, /*keep_identities=*/true);
  EXPECT_FALSE(reader.FindByMntns(100)->has_value());
  pins_->Add(5, 2, 101, 0, 0, "second");  // same slot, next epoch; 100 still leads to epoch 1
  EXPECT_FALSE(reader.FindByMntns(100)->has_value());
  EXPECT_FALSE(reader.Find(first)->has_value());
  EXPECT_STREQ((*reader.FindByMntns(101))->record.name, "second");
}

TEST_F(ReaderTest, IdentityThatTheSlotContradictsIsStale) {
  pins_->Add(5, 1, 100, 200, 0, "web");
  pins_->slot(5)->mntns = 999;
  Reader reader = OpenReader();
  EXPECT_FALSE(reader.FindByMntns(100)->has_value());
  EXPECT_TRUE(reader.FindByNetns(200)->has_value());
}

TEST_F(ReaderTest, SlotThatIsBeingFilledIsNobody) {
  const uint64_t handle = pins_->Add(5, 1, 100, 0, 0, "web");
  pins_->slot(5)->state = ROSTER_RESERVED;
  Reader reader = OpenReader();
  EXPECT_FALSE(reader.Find(handle)->has_value());
  EXPECT_TRUE(reader.List()->empty());
}

TEST_F(ReaderTest, MemberWithoutARecordIsFoundWithAnEmptyOne) {
  const uint64_t handle = pins_->Add(5, 1, 100, 0, 0, "web");
  bpf_map_delete_elem(pins_->fd("roster_record"), &handle);
  Reader reader = OpenReader();
  ASSERT_TRUE(reader.FindByMntns(100)->has_value());
  EXPECT_EQ((*reader.FindByMntns(100))->record.handle, 0u);
}

TEST_F(ReaderTest, TextWithoutAnEndIsCut) {
  const uint64_t handle = pins_->Add(5, 1, 100, 0, 0, "web");
  roster_record record;
  memset(&record, 'x', sizeof(record));
  bpf_map_update_elem(pins_->fd("roster_record"), &handle, &record, BPF_ANY);
  Reader reader = OpenReader();
  EXPECT_EQ(strlen((*reader.Find(handle))->record.name), sizeof(record.name) - 1);
}

TEST_F(ReaderTest, ListGivesEveryMemberInTheOrderOfSlots) {
  pins_->Add(9, 3, 100, 0, 0, "c");
  pins_->Add(0, 1, 101, 0, 0, "a");
  pins_->Add(ROSTER_MAX_SLOTS - 1, 1, 102, 0, 0, "z");
  Reader reader = OpenReader();
  auto members = reader.List();
  ASSERT_TRUE(members.ok()) << members.status();
  std::vector<std::string> names;
  for (const Member& member : *members) names.emplace_back(member.record.name);
  EXPECT_THAT(names, ::testing::ElementsAre("a", "c", "z"));
}

TEST_F(ReaderTest, ProcessIsFoundByItsMountNamespace) {
  struct stat own;
  ASSERT_EQ(stat("/proc/self/ns/mnt", &own), 0);
  pins_->Add(5, 1, own.st_ino, 0, 0, "self");
  Reader reader = OpenReader();
  auto member = reader.FindByPid(getpid());
  ASSERT_TRUE(member.ok()) << member.status();
  ASSERT_TRUE(member->has_value());
  EXPECT_STREQ((*member)->record.name, "self");
}

TEST_F(ReaderTest, ProcessWhoseNamespaceHasAnotherIdIsNotFound) {
  struct stat own;
  ASSERT_EQ(stat("/proc/self/ns/mnt", &own), 0);
  pins_->Add(5, 1, own.st_ino, 0, 0, "self");
  pins_->slot(5)->mntns_id = 1;  // the kernel's first mount namespace or none, but never this one's
  Reader reader = OpenReader();
  auto member = reader.FindByPid(getpid());
  ASSERT_TRUE(member.ok()) << member.status();
  const int fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
  uint64_t id = 0;
  const bool kernel_tells = ioctl(fd, _IOR(0xb7, 0x5, uint64_t), &id) == 0;
  close(fd);
  EXPECT_EQ(member->has_value(), !kernel_tells || id == 1);
}

TEST_F(ReaderTest, ProcessThatDoesNotExistIsAnErrorThatNamesIt) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, nullptr, 0);
  Reader reader = OpenReader();
  EXPECT_EQ(reader.FindByPid(child).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(reader.FindByPid(child).status().message()),
              HasSubstr(absl::StrCat(child)));
  EXPECT_EQ(reader.FindByPid(0).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(reader.FindByPid(-4).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(ReaderTest, DaemonLivesByPidAndHeartbeat) {
  Reader reader = OpenReader();
  EXPECT_FALSE(reader.IsDaemonAlive());
  pins_->abi()->daemon_pid = static_cast<uint32_t>(getpid());
  pins_->abi()->heartbeat_ns = BootTimeNs();
  EXPECT_TRUE(reader.IsDaemonAlive());
  pins_->abi()->heartbeat_ns = BootTimeNs() - 10'000'000'000;
  EXPECT_FALSE(reader.IsDaemonAlive());
  pins_->abi()->heartbeat_ns = BootTimeNs();
  const pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, nullptr, 0);
  pins_->abi()->daemon_pid = static_cast<uint32_t>(child);
  EXPECT_FALSE(reader.IsDaemonAlive());
}

TEST_F(ReaderTest, StatsAreSummedOverCpus) {
  std::vector<uint64_t> per_cpu(static_cast<size_t>(libbpf_num_possible_cpus()), 3);
  const uint32_t key = ROSTER_STAT_HOLDS;
  bpf_map_update_elem(pins_->fd("roster_stats"), &key, per_cpu.data(), BPF_ANY);
  Reader reader = OpenReader();
  auto stats = reader.ReadStats();
  ASSERT_TRUE(stats.ok()) << stats.status();
  EXPECT_EQ((*stats)[ROSTER_STAT_HOLDS], 3 * per_cpu.size());
  EXPECT_EQ((*stats)[ROSTER_STAT_BOUND], 0u);
}

struct BadPins {
  const char* name;
  std::function<void(TestPins&)> spoil;
  absl::StatusCode code;
  std::vector<std::string> says;
};

class ReaderBadPinsTest : public ReaderTest, public ::testing::WithParamInterface<BadPins> {};

TEST_P(ReaderBadPinsTest, IsRefusedByName) {
  if (pins_ == nullptr) return;
  GetParam().spoil(*pins_);
  auto reader = Reader::Open(pins_->dir());
  EXPECT_EQ(reader.status().code(), GetParam().code) << reader.status();
  for (const std::string& word : GetParam().says) {
    EXPECT_THAT(std::string(reader.status().message()), HasSubstr(word));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Pins, ReaderBadPinsTest,
    ::testing::Values(
        BadPins{"Missing",
                [](TestPins& m) { unlink((m.dir() + "/roster_netns").c_str()); },
                absl::StatusCode::kNotFound,
                {"roster_netns"}},
        BadPins{"OtherType",
                [](TestPins& m) {
                  (void)m.Replace("roster_mntns", BPF_MAP_TYPE_LRU_HASH, 8, 8,
                                  ROSTER_MAX_IDENTITIES);
                },
                absl::StatusCode::kFailedPrecondition,
                {"roster_mntns", "map type is 9"}},
        BadPins{"OtherKey",
                [](TestPins& m) {
                  (void)m.Replace("roster_cgroup", BPF_MAP_TYPE_HASH, 4, 8, ROSTER_MAX_CGROUPS);
                },
                absl::StatusCode::kFailedPrecondition,
                {"roster_cgroup", "key size is 4"}},
        BadPins{"OlderRecord",
                [](TestPins& m) {
                  (void)m.Replace("roster_record", BPF_MAP_TYPE_HASH, 8, 64, ROSTER_MAX_RECORDS);
                },
                absl::StatusCode::kFailedPrecondition,
                {"roster_record", "value size is 64"}},
        BadPins{"OtherBound",
                [](TestPins& m) { (void)m.Replace("roster_netns", BPF_MAP_TYPE_HASH, 8, 8, 1024); },
                absl::StatusCode::kFailedPrecondition,
                {"roster_netns", "max_entries is 1024"}},
        BadPins{"NotMmapable",
                [](TestPins& m) {
                  (void)m.Replace("roster_slot", BPF_MAP_TYPE_ARRAY, 4, sizeof(roster_membership),
                                  ROSTER_MAX_SLOTS);
                },
                absl::StatusCode::kFailedPrecondition,
                {"roster_slot", "BPF_F_MMAPABLE"}},
        BadPins{"ADirectory",
                [](TestPins& m) {
                  unlink((m.dir() + "/roster_mntns").c_str());
                  mkdir((m.dir() + "/roster_mntns").c_str(), 0700);
                },
                absl::StatusCode::kFailedPrecondition,
                {"roster_mntns", "foreign"}},
        BadPins{"AProgram",
                [](TestPins& m) {
                  unlink((m.dir() + "/roster_mntns").c_str());
                  const bpf_insn code[] = {
                      {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0},
                      {.code = BPF_JMP | BPF_EXIT}};
                  const int fd =
                      bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "p", "GPL", code, 2, nullptr);
                  bpf_obj_pin(fd, (m.dir() + "/roster_mntns").c_str());
                  close(fd);
                },
                absl::StatusCode::kFailedPrecondition,
                {"roster_mntns", "program or link"}},
        BadPins{"NeverInitialised",
                [](TestPins& m) { m.abi()->major = 0; },
                absl::StatusCode::kFailedPrecondition,
                {"roster_abi", "never initialised"}},
        BadPins{"NewerMajor",
                [](TestPins& m) { m.abi()->major = 2; },
                absl::StatusCode::kFailedPrecondition,
                {"roster_abi", "version 2"}},
        BadPins{"OtherBoot",
                [](TestPins& m) { m.abi()->boot_id[3] ^= 1; },
                absl::StatusCode::kFailedPrecondition,
                {"roster_abi", "boot"}}),
    [](const auto& info) { return info.param.name; });

TEST(ReaderOpen, MissingDirectoryIsNotFoundAndNamed) {
  auto reader = Reader::Open("/nonexistent/roster/v1");
  EXPECT_EQ(reader.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(reader.status().message()), HasSubstr("/nonexistent/roster/v1"));
}

TEST(ReaderOpen, DirectoryOfAnOrdinaryFileSystemIsForeign) {
  char dir[] = "/tmp/roster-foreign-XXXXXX";
  ASSERT_NE(mkdtemp(dir), nullptr);
  const std::string file = absl::StrCat(dir, "/roster_abi");
  close(open(file.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  auto reader = Reader::Open(dir);
  EXPECT_FALSE(reader.ok());
  EXPECT_THAT(std::string(reader.status().message()), HasSubstr(file));
  unlink(file.c_str());
  rmdir(dir);
}

}  // namespace
}  // namespace roster

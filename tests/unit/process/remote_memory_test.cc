#include "process/remote_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "process/held_exec.h"

namespace roster {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

const size_t kPage = static_cast<size_t>(sysconf(_SC_PAGESIZE));

uint64_t Address(const void* pointer) { return reinterpret_cast<uint64_t>(pointer); }

// `pages` pages that can be read, followed by one that is not mapped.
class Mapping {
 public:
  explicit Mapping(size_t pages) : size_((pages + 1) * kPage) {
    base_ = static_cast<char*>(
        mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    munmap(base_ + pages * kPage, kPage);
    size_ -= kPage;
  }
  ~Mapping() { munmap(base_, size_); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  char* begin() { return base_; }
  char* end() { return base_ + size_; }

 private:
  size_t size_;
  char* base_;
};

TEST(RemoteMemory, ReadsToTheEndOfAPageAndNotBeyond) {
  Mapping mapping(1);
  strcpy(mapping.end() - 6, "hello");
  RemoteMemory memory(getpid());
  EXPECT_EQ(memory.ToPageEnd(Address(mapping.end() - 6)), std::string_view("hello\0", 6));
  EXPECT_TRUE(memory.ToPageEnd(Address(mapping.end())).empty());
  EXPECT_EQ(memory.error(), EFAULT);
}

TEST(RemoteMemory, APageThatIsNotMappedDoesNotSpoilItsNeighboursInAPrefetch) {
  Mapping first(1);
  Mapping second(1);
  *first.begin() = 'a';
  *second.begin() = 'b';
  RemoteMemory memory(getpid());
  memory.Prefetch({Address(first.begin()), 4096, Address(second.begin()), 8192});
  EXPECT_EQ(memory.ToPageEnd(Address(first.begin()))[0], 'a');
  EXPECT_EQ(memory.ToPageEnd(Address(second.begin()))[0], 'b');
}

TEST(RemoteMemory, MorePagesThanItKeepsAreStillReadable) {
  constexpr size_t kPages = RemoteMemory::kMaxPages * 2;
  Mapping mapping(kPages);
  RemoteMemory memory(getpid());
  for (size_t i = 0; i < kPages; ++i) mapping.begin()[i * kPage] = static_cast<char>('a' + i % 26);
  for (size_t i = 0; i < kPages; ++i) {
    ASSERT_EQ(memory.ToPageEnd(Address(mapping.begin() + i * kPage))[0],
              'a' + static_cast<char>(i % 26));
  }
}

TEST(RemoteMemory, AnEndedProcessIsESRCH) {
  RemoteMemory memory(4194304);
  EXPECT_TRUE(memory.ToPageEnd(4096).empty());
  EXPECT_EQ(memory.error(), ESRCH);
}

// A vector of `words` pointers to the strings, with its NULL, ending right before memory that is
// not mapped.
HeldExec ReadBack(const std::vector<const char*>& words) {
  Mapping mapping((words.size() + 1) * sizeof(char*) / kPage + 1);
  char** vector = reinterpret_cast<char**>(mapping.end()) - (words.size() + 1);
  for (size_t i = 0; i < words.size(); ++i) vector[i] = const_cast<char*>(words[i]);
  vector[words.size()] = nullptr;
  const absl::StatusOr<HeldExec> held =
      ReadExecArguments(getpid(), Address("file"), Address(vector));
  EXPECT_TRUE(held.ok()) << held.status();
  return held.ok() ? *held : HeldExec{};
}

TEST(ReadExecArguments, ReadsWordsOfAnyBytes) {
  const HeldExec held = ReadBack({"runc", "", "\xff\x01", "--bundle=/x"});
  EXPECT_EQ(held.filename, "file");
  EXPECT_THAT(held.argv, ElementsAre("runc", "", "\xff\x01", "--bundle=/x"));
  EXPECT_FALSE(held.truncated);
}

TEST(ReadExecArguments, AnEmptyAndAMissingVectorAreEmpty) {
  EXPECT_TRUE(ReadBack({}).argv.empty());
  EXPECT_TRUE(ReadExecArguments(getpid(), Address("f"), 0)->argv.empty());
}

TEST(ReadExecArguments, AStringThatCrossesPagesIsWhole) {
  Mapping mapping(3);
  char* start = mapping.begin() + kPage - 3;
  memset(start, 'x',
         kPage + 6);  // from three bytes before the first boundary to three behind the second
  EXPECT_EQ(ReadBack({start}).argv[0], std::string(kPage + 6, 'x'));
}

TEST(ReadExecArguments, ExactlyTheLimitOfWordsIsNotTruncated) {
  const std::vector<const char*> words(kMaxHeldWords, "w");
  const HeldExec held = ReadBack(words);
  EXPECT_EQ(held.argv.size(), kMaxHeldWords);
  EXPECT_FALSE(held.truncated);
}

TEST(ReadExecArguments, TenThousandWordsAreCutAtTheLimit) {
  const std::vector<const char*> words(10000, "w");
  const HeldExec held = ReadBack(words);
  EXPECT_EQ(held.argv.size(), kMaxHeldWords);
  EXPECT_THAT(held.argv, Each("w"));
  EXPECT_TRUE(held.truncated);
}

TEST(ReadExecArguments, MoreThanAMebibyteIsCutAndWhatWasReadIsKept) {
  const std::string big(600 << 10, 'b');
  const HeldExec held = ReadBack({"first", big.c_str(), big.c_str(), "never"});
  ASSERT_EQ(held.argv.size(), 3u);
  EXPECT_EQ(held.argv[0], "first");
  EXPECT_EQ(held.argv[1], big);
  EXPECT_EQ(held.argv[2].size(), kMaxHeldBytes - 5 - big.size());
  EXPECT_TRUE(held.truncated);
}

TEST(ReadExecArguments, PointersThatLeadNowhereAreAnError) {
  EXPECT_TRUE(absl::IsInvalidArgument(ReadExecArguments(getpid(), Address("f"), 64).status()));
  const char* words[] = {"ok", reinterpret_cast<const char*>(64), nullptr};
  EXPECT_TRUE(
      absl::IsInvalidArgument(ReadExecArguments(getpid(), Address("f"), Address(words)).status()));
  const char* good[] = {"ok", nullptr};
  EXPECT_TRUE(absl::IsInvalidArgument(ReadExecArguments(getpid(), 64, Address(good)).status()));
}

TEST(ReadExecArguments, AVectorWithoutAnEndIsAnErrorAtTheEndOfItsMapping) {
  Mapping mapping(1);
  char** vector = reinterpret_cast<char**>(mapping.end()) - 2;
  vector[0] = vector[1] = const_cast<char*>("x");
  EXPECT_TRUE(
      absl::IsInvalidArgument(ReadExecArguments(getpid(), Address("f"), Address(vector)).status()));
}

TEST(ReadExecArguments, AnEndedProcessIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(ReadExecArguments(4194304, 4096, 4096).status()));
}

TEST(ParseSyscallFile, TellsTheStatesApart) {
  EXPECT_TRUE(absl::IsUnavailable(ParseSyscallFile("running\n").status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(ParseSyscallFile("-1 0x7ffc 0x7f00\n").status()));
  EXPECT_FALSE(ParseSyscallFile("").ok());
  EXPECT_FALSE(ParseSyscallFile("x").ok());
  EXPECT_FALSE(ParseSyscallFile("59 0x1 0x2").ok());
  EXPECT_FALSE(ParseSyscallFile("59 0x1 0x2 0x3 0x4 zz 0x6 0x7 0x8").ok());
  const absl::StatusOr<HeldSyscall> call =
      ParseSyscallFile("59 0x7ffc00000010 0xffffffffffffffff 0x3 0x4 0x5 0x6 0x7 0x8\n");
  ASSERT_TRUE(call.ok()) << call.status();
  EXPECT_EQ(call->number, 59u);
  EXPECT_THAT(call->args, ElementsAre(0x7ffc00000010u, ~0ull, 3, 4, 5, 6));
}

}  // namespace
}  // namespace roster

#include "runtime/pid_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "kernel/fd.h"

namespace roster {
namespace {

using ::testing::HasSubstr;

TEST(ParsePid, TakesDigitsAndWhiteSpaceAround) {
  const std::pair<const char*, pid_t> cases[] = {{"1", 1},
                                                 {"4194304", 4194304},
                                                 {"123\n", 123},
                                                 {" \t42 \r\n", 42},
                                                 {"00000000000000000000007", 7}};
  for (const auto& [text, pid] : cases) EXPECT_EQ(*ParsePid(text), pid) << text;
}

TEST(ParsePid, RefusesEverythingElse) {
  for (const char* text :
       {"", " ", "\n", "0", "-1", "+1", "1 2", "12a", "0x10", "4194305", "99999999999999999999",
        "1.0", "\xff", "000000000000000000000000000000001"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParsePid(text).status())) << text;
  }
  EXPECT_FALSE(ParsePid(std::string_view("1\0", 2)).ok());
  EXPECT_THAT(std::string(ParsePid("\x1b[2J").status().message()), HasSubstr("\"\\x1b[2J\""));
}

Fd FileWith(std::string_view text) {
  Fd fd(memfd_create("pid", MFD_CLOEXEC));
  EXPECT_EQ(write(fd.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  return fd;
}

TEST(ReadPidFileFd, ReadsFromTheStartAndLeavesThePositionAlone) {
  const Fd fd = FileWith("77\n");
  const off_t before = lseek(fd.get(), 0, SEEK_CUR);
  EXPECT_EQ(*ReadPidFileFd(fd.get()), 77);
  EXPECT_EQ(*ReadPidFileFd(fd.get()), 77);
  EXPECT_EQ(lseek(fd.get(), 0, SEEK_CUR), before);
}

TEST(ReadPidFileFd, AnEmptyFileIsNotYetWritten) {
  EXPECT_TRUE(absl::IsUnavailable(ReadPidFileFd(FileWith("").get()).status()));
}

TEST(ReadPidFileFd, MoreThan32BytesAreOverTheLimit) {
  EXPECT_EQ(*ReadPidFileFd(FileWith(absl::StrCat("5", std::string(31, ' '))).get()), 5);
  const absl::Status status =
      ReadPidFileFd(FileWith(absl::StrCat("5", std::string(32, ' '))).get()).status();
  EXPECT_TRUE(absl::IsOutOfRange(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("33 bytes is over the limit of 32 bytes"));
}

TEST(ReadPidFileFd, AFifoADirectoryAndADeviceAreRefusedAtOnce) {
  int fds[2];
  ASSERT_EQ(pipe2(fds, O_CLOEXEC), 0);
  const Fd reader(fds[0]);
  const Fd writer(fds[1]);
  const Fd directory(open("/", O_RDONLY | O_CLOEXEC));
  const Fd zero(open("/dev/zero", O_RDONLY | O_CLOEXEC));
  for (const Fd* fd : {&reader, &directory, &zero}) {
    EXPECT_TRUE(absl::IsFailedPrecondition(ReadPidFileFd(fd->get()).status()));
  }
  EXPECT_FALSE(ReadPidFileFd(-1).ok());
}

}  // namespace
}  // namespace roster

#include "kernel/libbpf_log.h"

#include <bpf/libbpf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace roster {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Makes libbpf say one text that has `path` in it.
void Complain(const std::string& path) { EXPECT_EQ(bpf_object__open(path.c_str()), nullptr); }

TEST(LibbpfLog, TellsWhatWasSaidOnce) {
  LibbpfLog log;
  Complain("/nowhere/at/all");
  EXPECT_THAT(LibbpfLog::Take(), HasSubstr("/nowhere/at/all"));
  EXPECT_THAT(LibbpfLog::Take(), IsEmpty());
}

TEST(LibbpfLog, KeepsTheEndOfALongText) {
  LibbpfLog log;
  // As long as no path may be, so that nothing is opened; what libbpf says has the reason last.
  Complain(absl::StrCat("/", std::string(100000, 'x')));
  const std::string said = LibbpfLog::Take();
  EXPECT_THAT(said, SizeIs(4096));
  EXPECT_THAT(said, EndsWith("\n"));
  EXPECT_THAT(said, HasSubstr("xx: ")) << "the verdict is at the end";
}

TEST(LibbpfLog, CutsBetweenLines) {
  LibbpfLog log;
  for (int i = 0; i < 100; ++i) Complain(absl::StrCat("/nowhere/", i, "/", std::string(200, 'x')));
  const std::string said = LibbpfLog::Take();
  EXPECT_THAT(said, ::testing::StartsWith("libbpf: "));
  EXPECT_THAT(said, HasSubstr("/nowhere/99/"));
  EXPECT_LE(said.size(), 4096u);
}

}  // namespace
}  // namespace roster

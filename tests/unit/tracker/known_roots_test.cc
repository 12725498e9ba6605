#include "tracker/known_roots.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"

namespace roster {
namespace {

using ::testing::Contains;
using ::testing::Not;

class KnownRootsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/known-roots-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    file_ = directory_ + "/runtime-roots";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  std::string directory_;
  std::string file_;
};

TEST_F(KnownRootsTest, TheNextDaemonKnowsThemToo) {
  KnownRoots(file_).Note("/srv/runc/");
  EXPECT_THAT(KnownRoots(file_).All(), Contains("/srv/runc"));
}

TEST_F(KnownRootsTest, RelativePathsAndLineBreaksAreNotKept) {
  KnownRoots roots(file_);
  roots.Note("relative");
  roots.Note("/a\n/b");
  roots.Note("/");
  roots.Note("");
  EXPECT_FALSE(std::filesystem::exists(file_));
  EXPECT_THAT(roots.All(), Not(Contains("/b")));
}

TEST_F(KnownRootsTest, TheOldestIsForgottenWhenThereAreTooMany) {
  KnownRoots roots(file_);
  for (size_t i = 0; i <= KnownRoots::kMost; ++i) roots.Note(absl::StrCat("/srv/", i));
  const auto all = KnownRoots(file_).All();
  EXPECT_THAT(all, Not(Contains("/srv/0")));
  EXPECT_THAT(all, Contains(absl::StrCat("/srv/", KnownRoots::kMost)));
}

TEST_F(KnownRootsTest, AFifoOrALinkInItsPlaceIsNotRead) {
  ASSERT_EQ(mkfifo(file_.c_str(), 0600), 0);
  KnownRoots from_fifo(file_);  // must not block
  std::filesystem::remove(file_);
  std::ofstream(directory_ + "/other") << "/evil\n";
  std::filesystem::create_symlink(directory_ + "/other", file_);
  EXPECT_THAT(KnownRoots(file_).All(), Not(Contains("/evil")));
}

}  // namespace
}  // namespace roster

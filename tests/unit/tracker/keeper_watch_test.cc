#include "tracker/keeper_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace roster {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class KeeperWatchTest : public ::testing::Test {
 protected:
  std::vector<std::string> problems_;
  KeeperWatch watch_{[this](std::string_view problem) { problems_.emplace_back(problem); }};
};

TEST_F(KeeperWatchTest, AKeeperThatWorksIsNoProblem) {
  watch_.Note({.reads = 5, .holds = 5, .expired = 1, .keeper_restarts = 1});
  watch_.Note({.reads = 9, .holds = 9, .expired = 2, .keeper_restarts = 2});
  EXPECT_THAT(problems_, IsEmpty());
}

TEST_F(KeeperWatchTest, RefusedExecsAndRuntimesThatWentOnUnheldAreEachSaidOnce) {
  watch_.Note({.table_full = 3, .read_errors = 1});
  watch_.Note({.table_full = 4, .read_errors = 2});
  EXPECT_THAT(problems_, ElementsAre(HasSubstr("refused"), HasSubstr("unheld")));
}

TEST_F(KeeperWatchTest, AMissingKeeperIsAProblemWhenItDoesNotPassAtOnce) {
  watch_.Note({.daemon_reads = true});
  watch_.Note({.daemon_reads = false});
  EXPECT_THAT(problems_, IsEmpty());
  watch_.Note({.daemon_reads = true});
  watch_.Note({.daemon_reads = true});
  watch_.Note({.daemon_reads = true});
  EXPECT_THAT(problems_, ElementsAre(HasSubstr("keeper")));
}

}  // namespace
}  // namespace roster

// What lies in the pin directory of a daemon that runs: the ABI's list of pins, and nothing beside
// it.
#include <filesystem>
#include <string>
#include <vector>

#include "integration/roster_test_base.h"

namespace roster::testing {
namespace {

std::vector<std::string> FilesBelow(const std::string& directory) {
  std::vector<std::string> files;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory, ignored)) {
    const std::string name = std::filesystem::relative(entry.path(), directory);
    files.push_back(entry.is_directory() ? name + "/" : name);
  }
  return files;
}

class Pins : public RosterTestBase {};

TEST_F(Pins, OfADaemonThatRunsAreExactlyThese) {
  ROSTER_ASSERT_OK(roster_->Start());
  const auto expected = ::testing::UnorderedElementsAre(
      "roster_abi", "roster_mntns", "roster_netns", "roster_cgroup", "roster_task", "roster_slot",
      "roster_record", "roster_stats", "tracers/",
      // No part of the ABI.
      "internal/", "internal/roster_hot", "internal/roster_birth", "internal/roster_lineage",
      "internal/roster_arm", "internal/roster_runtime", "internal/roster_events", "links/",
      "links/on_exec", "links/on_fork", "links/on_exit", "links/on_free", "links/on_cgroup_mkdir",
      "links/on_cgroup_rmdir");
  EXPECT_THAT(FilesBelow(roster_->pin_directory()), expected);
  // The next one takes its predecessor's place, and leaves nothing beside it.
  ROSTER_ASSERT_OK(roster_->Kill());
  ROSTER_ASSERT_OK(roster_->Start());
  EXPECT_THAT(FilesBelow(roster_->pin_directory()), expected);
}

}  // namespace
}  // namespace roster::testing

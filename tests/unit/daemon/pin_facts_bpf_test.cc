// PinFactsReader against real maps, pinned in a BPF file system of the test's own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "daemon/pin_facts.h"
#include "unit/lookup/pins_fixture.h"

namespace roster {
namespace {

using ::testing::HasSubstr;

class PinFactsTest : public TestPinsTest {
 protected:
  PinFactsReader Open() {
    auto reader = PinFactsReader::Open(pins_->dir());
    EXPECT_TRUE(reader.ok()) << reader.status();
    return *std::move(reader);
  }
};

// How many maps this process has in its memory.
int MappedMaps() {
  std::ifstream in("/proc/self/maps");
  int count = 0;
  for (std::string line; std::getline(in, line);)
    count += line.find("bpf-map") != std::string::npos;
  return count;
}

TEST_F(PinFactsTest, StateFlagsAndTimesAreThoseOfSlotAndRecord) {
  const uint64_t handle = pins_->Add(5, 1, 100, 200, 300, "web");
  pins_->slot(5)->flags = ROSTER_F_NESTED;
  roster_record record = {};
  ASSERT_EQ(bpf_map_lookup_elem(pins_->fd("roster_record"), &handle, &record), 0);
  record.created_at_ns = 11;
  record.started_at_ns = 22;
  ASSERT_EQ(bpf_map_update_elem(pins_->fd("roster_record"), &handle, &record, BPF_ANY), 0);
  const std::optional<PinFacts> facts = Open().Find(handle);
  ASSERT_TRUE(facts.has_value());
  EXPECT_EQ(facts->state, static_cast<uint32_t>(ROSTER_BOUND));
  EXPECT_EQ(facts->flags, ROSTER_F_NESTED);
  EXPECT_EQ(facts->created_at_ns, 11u);
  EXPECT_EQ(facts->started_at_ns, 22u);
}

TEST_F(PinFactsTest, AHandleWhoseSlotIsFreeOrAnothersHasNone) {
  const PinFactsReader reader = Open();
  EXPECT_FALSE(reader.Find(0).has_value());
  EXPECT_FALSE(reader.Find(~0ULL).has_value());
  const uint64_t handle = pins_->Add(5, 1, 100, 0, 0, "web");
  EXPECT_TRUE(reader.Find(handle).has_value());
  pins_->Remove(handle, false);
  EXPECT_FALSE(reader.Find(handle).has_value());
  const uint64_t next = pins_->Add(5, 2, 101, 0, 0, "db");
  EXPECT_FALSE(reader.Find(handle).has_value());
  EXPECT_TRUE(reader.Find(next).has_value());
}

// The tracker beside it has the slots mapped: a second mapping would count again, two mebibytes of
// the daemon's resident memory.
TEST_F(PinFactsTest, NoMapIsMappedIntoMemory) {
  const uint64_t handle = pins_->Add(5, 1, 100, 0, 0, "web");
  const int before = MappedMaps();
  EXPECT_GT(before, 0);  // the test's own
  const PinFactsReader reader = Open();
  EXPECT_TRUE(reader.Find(handle).has_value());
  EXPECT_EQ(MappedMaps(), before);
}

TEST_F(PinFactsTest, MissingPinsAreNamed) {
  EXPECT_THAT(std::string(PinFactsReader::Open("/nonexistent").status().message()),
              HasSubstr("/nonexistent/roster_slot"));
}

}  // namespace
}  // namespace roster

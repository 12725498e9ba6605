// PodMap: a map by name that is one array.
#include "roster/pod_map.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace roster {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(PodMapTest, IsInTheOrderOfNamesWhateverOrderItWasMadeIn) {
  const PodMap<uint64_t> map{{"web", 3}, {"app", 1}, {"proxy", 2}};
  EXPECT_THAT(map, ElementsAre(Pair("app", 1), Pair("proxy", 2), Pair("web", 3)));
  EXPECT_EQ(map, (PodMap<uint64_t>{{"app", 1}, {"proxy", 2}, {"web", 3}}));
  EXPECT_NE(map, (PodMap<uint64_t>{{"app", 1}, {"proxy", 2}, {"web", 4}}));
}

TEST(PodMapTest, OfSeveralWithOneNameTheLastCounts) {
  EXPECT_THAT((PodMap<uint64_t>{{"a", 1}, {"a", 2}, {"a", 3}}), ElementsAre(Pair("a", 3)));
  EXPECT_THAT((PodMap<uint64_t>{{"b", 1}, {"a", 5}, {"b", 2}, {"c", 7}, {"b", 4}}),
              ElementsAre(Pair("a", 5), Pair("b", 4), Pair("c", 7)));
}

TEST(PodMapTest, FindsByName) {
  const PodMap<uint32_t> map{{"b", 2}, {"a", 1}, {"d", 4}};
  ASSERT_NE(map.find("b"), map.end());
  EXPECT_EQ(map.find("b")->second, 2u);
  EXPECT_TRUE(map.contains("d"));
  for (const char* absent : {"", "aa", "c", "e"}) {
    EXPECT_EQ(map.find(absent), map.end()) << absent;
    EXPECT_FALSE(map.contains(absent)) << absent;
  }
}

TEST(PodMapTest, TheEmptyOneHasNothing) {
  const PodMap<uint64_t> map;
  EXPECT_THAT(map, IsEmpty());
  EXPECT_EQ(map.find("a"), map.end());
  EXPECT_EQ(map, (PodMap<uint64_t>(std::vector<std::pair<std::string, uint64_t>>())));
}

}  // namespace
}  // namespace roster

// SharedText and Labels: what they are used as std::string and std::map for.
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "roster/container.h"
#include "roster/labels.h"
#include "roster/shared_text.h"

namespace roster {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(SharedTextTest, IsMadeFromAndReadAsAnyText) {
  SharedText text = "nginx";
  EXPECT_EQ(text, "nginx");
  EXPECT_EQ("nginx", text);
  EXPECT_NE(text, "nginy");
  EXPECT_STREQ(text.c_str(), "nginx");
  text = std::string(300, 'x');
  EXPECT_EQ(text, std::string(300, 'x'));
  EXPECT_EQ(text.size(), 300u);
  text = std::string_view("a\0b", 3);
  EXPECT_EQ(text.view(), std::string_view("a\0b", 3));
  const std::string copy = text;
  EXPECT_EQ(copy.size(), 3u);
  EXPECT_THAT(SharedText("web-1"), HasSubstr("b-"));
}

TEST(SharedTextTest, CopiesAreOneTextAndOutliveEachOther) {
  SharedText copy;
  const char* data = nullptr;
  {
    const SharedText text(std::string(100, 'y'));
    copy = text;
    data = text.data();
  }
  EXPECT_EQ(copy.data(), data);
  SharedText other = copy;
  copy = "z";
  EXPECT_EQ(other, std::string(100, 'y'));
  SharedText& same = other;
  other = same;
  EXPECT_EQ(other.data(), data);
  const SharedText moved = std::move(other);
  EXPECT_EQ(moved.data(), data);
  EXPECT_EQ(sizeof(SharedText), sizeof(void*));
}

TEST(SharedTextTest, TheEmptyTextIsAnEmptyCString) {
  SharedText text;
  EXPECT_TRUE(text.empty());
  EXPECT_EQ(text.size(), 0u);
  EXPECT_STREQ(text.c_str(), "");
  EXPECT_EQ(text, SharedText(""));
  text = "x";
  text.clear();
  EXPECT_EQ(text, "");
}

TEST(LabelsTest, IsInTheOrderOfKeysAndTheFirstOfAKeyCounts) {
  const Labels labels{{"b", "2"}, {"a", "1"}, {"b", "3"}};
  EXPECT_THAT(labels, ElementsAre(Pair("a", "1"), Pair("b", "2")));
  EXPECT_EQ(labels, Labels(std::map<std::string, std::string>{{"a", "1"}, {"b", "2"}}));
  EXPECT_NE(labels, (Labels{{"a", "1"}}));
}

TEST(LabelsTest, ChangesAsAMapDoes) {
  Labels labels;
  labels["m"] = "1";
  labels["a"] = "2";
  labels["m"] = "3";
  EXPECT_TRUE(labels.emplace("z", "4"));
  EXPECT_FALSE(labels.emplace("a", "5"));
  EXPECT_THAT(labels, ElementsAre(Pair("a", "2"), Pair("m", "3"), Pair("z", "4")));
  EXPECT_EQ(labels.find("z")->second, "4");
  EXPECT_EQ(labels.find("b"), labels.end());
  EXPECT_TRUE(labels.contains("m"));
  EXPECT_TRUE(labels.erase("m"));
  EXPECT_FALSE(labels.erase("m"));
  EXPECT_THAT(labels, ElementsAre(Pair("a", "2"), Pair("z", "4")));
  labels.clear();
  EXPECT_THAT(labels, IsEmpty());
}

TEST(ContainerSize, FitsTheBudget) {
  // Of the kilobyte that a container may cost with all its indexes.
  EXPECT_LE(sizeof(Container), 384u);
}

}  // namespace
}  // namespace roster

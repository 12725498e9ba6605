#include "runtime/text.h"

#include "gtest/gtest.h"

namespace roster {
namespace {

TEST(Text, QuotesWhatIsNoPrintableAscii) {
  EXPECT_EQ(QuoteForMessage("abc"), "\"abc\"");
  EXPECT_EQ(QuoteForMessage("a\nb\x1b\xff"), "\"a\\nb\\x1b\\xff\"");
  EXPECT_EQ(QuoteForMessage("abcdef", 3), "\"abc...\"");
  EXPECT_EQ(QuoteForMessage("abc", 3), "\"abc\"");
  EXPECT_EQ(QuoteForMessage(std::string_view("\0", 1)), "\"\\x00\"");
}

TEST(Text, KnowsValidUtf8) {
  for (const char* text : {"", "abc", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
                           "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf"}) {
    EXPECT_TRUE(IsValidUtf8(text));
    EXPECT_EQ(ToValidUtf8(text), text);
  }
  for (const char* text :
       {"\x80", "\xc3", "\xc0\xaf", "\xe2\x82", "\xed\xa0\x80", "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80", "\xff", "\xe0\x80\xaf", "\xf0\x9f\x98"}) {
    EXPECT_FALSE(IsValidUtf8(text)) << QuoteForMessage(text);
    EXPECT_TRUE(IsValidUtf8(ToValidUtf8(text))) << QuoteForMessage(text);
  }
  EXPECT_EQ(ToValidUtf8("a\xff\xc3\xa9\xc3"), "a\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd");
}

}  // namespace
}  // namespace roster

#include "text/utf8.h"

#include <cstring>

#include "gtest/gtest.h"
#include "text/quote.h"

namespace roster {
namespace {

TEST(Utf8, OnlyValidAndHarmlessCharactersArePrintable) {
  for (const char* good : {"a", "é", "漢", "\xf0\x9f\x90\xb3"}) {
    EXPECT_EQ(PrintableUtf8(good), strlen(good)) << good;
  }
  for (const char* bad :
       {"\x1b", "\x7f", "\xc2\x9b", "\xff", "\xc0\xaf", "\xe2\x80\xae", "\xed\xa0\x80",
        "\xf5\x80\x80\x80", "\xe2\x80", "\xef\xbb\xbf", "\x80", "\xf3\xa0\x81\x81"}) {
    EXPECT_EQ(PrintableUtf8(bad), 0u) << bad;
  }
}

TEST(Utf8, KnowsValidUtf8) {
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

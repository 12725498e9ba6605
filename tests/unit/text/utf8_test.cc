#include "text/utf8.h"

#include <cstring>

#include "gtest/gtest.h"

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

}  // namespace
}  // namespace roster

#include "text/quote.h"

#include "gtest/gtest.h"

namespace roster {
namespace {

TEST(Quote, QuotesWhatIsNoPrintableAscii) {
  EXPECT_EQ(QuoteForMessage("abc"), "\"abc\"");
  EXPECT_EQ(QuoteForMessage("a\nb\x1b\xff"), "\"a\\nb\\x1b\\xff\"");
  EXPECT_EQ(QuoteForMessage("abcdef", 3), "\"abc...\"");
  EXPECT_EQ(QuoteForMessage("abc", 3), "\"abc\"");
  EXPECT_EQ(QuoteForMessage(std::string_view("\0", 1)), "\"\\x00\"");
}

}  // namespace
}  // namespace roster

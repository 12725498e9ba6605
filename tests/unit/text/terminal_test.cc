#include "text/terminal.h"

#include <gtest/gtest.h>

namespace roster {
namespace {

TEST(EscapeForTerminal, OrdinaryTextIsLeftAsItIs) {
  EXPECT_EQ(EscapeForTerminal("web-1 é 漢字 🐳 a\\b"), "web-1 é 漢字 🐳 a\\b");
}

TEST(EscapeForTerminal, WhatSteersATerminalBecomesVisible) {
  EXPECT_EQ(EscapeForTerminal("\x1b[31mred\x1b[0m"), "\\x1b[31mred\\x1b[0m");
  EXPECT_EQ(EscapeForTerminal("a\nb\tc\rd\x07\x7f"), "a\\nb\\tc\\x0dd\\x07\\x7f");
  EXPECT_EQ(EscapeForTerminal("\xc2\x9b"
                              "31m"),
            "\\u009b31m");  // the one-character form of ESC [
  EXPECT_EQ(EscapeForTerminal("\xe2\x80\xaegnp.exe"), "\\u202egnp.exe");
  EXPECT_EQ(EscapeForTerminal("\xff\xfe"), "\\xff\\xfe");
  EXPECT_EQ(EscapeForTerminal(std::string("a\0b", 3)), "a\\x00b");
}

TEST(DisplayWidth, WideCharactersTakeTwoColumnsAndCombiningOnesNone) {
  EXPECT_EQ(DisplayWidth("abc"), 3u);
  EXPECT_EQ(DisplayWidth("é"), 1u);
  EXPECT_EQ(DisplayWidth("e\xcc\x81"), 1u);
  EXPECT_EQ(DisplayWidth("漢字"), 4u);
  EXPECT_EQ(DisplayWidth("🐳"), 2u);
  EXPECT_EQ(DisplayWidth(""), 0u);
}

TEST(Shorten, CutsAtTheColumnAndBetweenCharacters) {
  EXPECT_EQ(Shorten("abc", 3), "abc");
  EXPECT_EQ(Shorten("abcd", 3), "ab…");
  EXPECT_EQ(Shorten("漢字漢字", 5), "漢字…");
  EXPECT_EQ(Shorten("漢字漢字", 4), "漢…");
  EXPECT_EQ(Shorten("ééé", 2), "é…");
}

TEST(Shorten, CutsWhereTheEllipsisSays) {
  EXPECT_EQ(Shorten("abcdef", 4, Ellipsis::kNone), "abcd");
  EXPECT_EQ(Shorten("abcdef", 4, Ellipsis::kStart), "…def");
  EXPECT_EQ(Shorten("abcdef", 4, Ellipsis::kMiddle), "ab…f");
  EXPECT_EQ(Shorten("abcdef", 1, Ellipsis::kMiddle), "…");
  EXPECT_EQ(Shorten("漢字漢字", 4, Ellipsis::kStart), "…字");
}

}  // namespace
}  // namespace roster

#include "cli/text.h"

#include <gtest/gtest.h>

#include "cli/age.h"

namespace roster::cli {
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

TEST(HumanAge, TwoUnitsWhileTheFirstHasOneDigit) {
  const struct {
    absl::Duration age;
    const char* text;
  } cases[] = {{absl::Seconds(-5), "0s"},
               {absl::ZeroDuration(), "0s"},
               {absl::Milliseconds(999), "0s"},
               {absl::Seconds(59), "59s"},
               {absl::Seconds(60), "1m"},
               {absl::Seconds(90), "1m30s"},
               {absl::Seconds(601), "10m"},
               {absl::Minutes(59), "59m"},
               {absl::Minutes(60), "1h"},
               {absl::Minutes(125), "2h5m"},
               {absl::Hours(23), "23h"},
               {absl::Hours(24), "1d"},
               {absl::Hours(51), "2d3h"},
               {absl::Hours(24 * 400), "400d"},
               {absl::InfiniteDuration(), "106751991167300d"}};
  for (const auto& c : cases) {
    if (c.age == absl::InfiniteDuration()) continue;  // must only not crash
    EXPECT_EQ(HumanAge(c.age), c.text);
  }
  HumanAge(absl::InfiniteDuration());
}

}  // namespace
}  // namespace roster::cli

#include "cli/age.h"

#include <gtest/gtest.h>

namespace roster::cli {
namespace {

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
  for (const auto& c : cases) EXPECT_EQ(HumanAge(c.age), c.text);
}

}  // namespace
}  // namespace roster::cli

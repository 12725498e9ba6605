#include "cli/age.h"

#include <cstdint>

#include "absl/strings/str_cat.h"

namespace roster::cli {

std::string HumanAge(absl::Duration age) {
  if (age < absl::ZeroDuration()) age = absl::ZeroDuration();
  const int64_t seconds = absl::ToInt64Seconds(age);
  static constexpr struct {
    int64_t seconds;
    const char* name;
  } kUnits[] = {{86400, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}};
  for (size_t i = 0; i < 3; ++i) {
    const int64_t count = seconds / kUnits[i].seconds;
    if (count == 0) continue;
    const int64_t rest = seconds % kUnits[i].seconds / kUnits[i + 1].seconds;
    if (count >= 10 || rest == 0) return absl::StrCat(count, kUnits[i].name);
    return absl::StrCat(count, kUnits[i].name, rest, kUnits[i + 1].name);
  }
  return absl::StrCat(seconds, "s");
}

}  // namespace roster::cli

#include "integration/zombies.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace roster::testing {
namespace {

struct Stat {
  std::string comm;
  std::string state;
  std::string parent;
};

// proc(5): "pid (comm) state ppid ..."; comm may have spaces and parentheses.
Stat ReadStat(const std::string& pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/stat"));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const size_t open = text.find('(');
  const size_t close = text.rfind(')');
  if (open == std::string::npos || close == std::string::npos || close < open) return {};
  const std::vector<std::string> rest =
      absl::StrSplit(text.substr(close + 1), ' ', absl::SkipEmpty());
  if (rest.size() < 2) return {};
  return {text.substr(open + 1, close - open - 1), rest[0], rest[1]};
}

}  // namespace

std::string DescribeZombies() {
  std::vector<std::string> zombies;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const std::string pid = entry.path().filename();
    int number = 0;
    if (!absl::SimpleAtoi(pid, &number)) continue;
    const Stat stat = ReadStat(pid);
    if (stat.state != "Z") continue;
    zombies.push_back(absl::StrCat(stat.comm, " (", pid, ", child of ", ReadStat(stat.parent).comm,
                                   " (", stat.parent, "))"));
  }
  return zombies.empty() ? "none" : absl::StrJoin(zombies, ", ");
}

}  // namespace roster::testing

#include "runtime/cgroup_path.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "text/string_view.h"

namespace roster {
namespace {

struct Prefix {
  const char* text;
  const char* runtime_name;
};

// Only a full id behind the prefix counts, which keeps libpod-conmon-<id> and crio-conmon-<id> out.
constexpr Prefix kPrefixes[] = {
    {"docker-", "docker"},
    {"libpod-", "podman"},
    {"cri-containerd-", "containerd"},
    {"crio-", "cri-o"},
};

bool IsFullId(absl::string_view id) {
  return id.size() == 64 && std::all_of(id.begin(), id.end(), [](unsigned char c) {
           return absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f');
         });
}

// By the name of the component alone.
std::optional<CgroupClaim> FromName(absl::string_view name) {
  const absl::string_view plain = absl::StripSuffix(name, ".scope");
  for (const Prefix& prefix : kPrefixes) {
    absl::string_view id = plain;
    if (absl::ConsumePrefix(&id, prefix.text) && IsFullId(id)) {
      return CgroupClaim{std::string(id), prefix.runtime_name};
    }
  }
  const std::vector<absl::string_view> parts = absl::StrSplit(name, ':');  // slice:prefix:id
  if (parts.size() == 3 && IsFullId(parts[2])) {
    return CgroupClaim{std::string(parts[2]), parts[1] == "cri-containerd" ? "containerd" : ""};
  }
  return std::nullopt;
}

}  // namespace

std::optional<CgroupClaim> ParseCgroupPath(std::string_view path) {
  const std::vector<absl::string_view> names = absl::StrSplit(ToAbsl(path), '/', absl::SkipEmpty());
  bool kubernetes = std::any_of(names.begin(), names.end(), [](absl::string_view name) {
    return absl::StartsWith(name, "kubepods");
  });
  for (size_t i = names.size(); i-- > 0;) {
    if (std::optional<CgroupClaim> claim = FromName(names[i])) return claim;
    if (!IsFullId(names[i]) || i == 0) continue;
    if (names[i - 1] == "docker") return CgroupClaim{std::string(names[i]), "docker"};
    if (kubernetes) return CgroupClaim{std::string(names[i]), ""};
    if (i == 1) return CgroupClaim{std::string(names[i]), "containerd"};
  }
  return std::nullopt;
}

}  // namespace roster

#include "engines/fetched.h"

#include <cstdlib>

#include "absl/strings/str_cat.h"

namespace roster::testing {

std::string FetchedDirectory(const std::string& fetched) {
  const char* cache = std::getenv("ROSTER_CACHE");
  const char* home = std::getenv("XDG_CACHE_HOME");
  const std::string root = cache != nullptr  ? std::string(cache)
                           : home != nullptr ? absl::StrCat(home, "/roster")
                                             : std::string("/var/cache/roster");
  return absl::StrCat(root, "/", fetched);
}

}  // namespace roster::testing

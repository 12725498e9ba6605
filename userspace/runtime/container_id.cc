#include "runtime/container_id.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "text/quote.h"

namespace roster {

absl::Status ValidateContainerId(std::string_view id) {
  const auto refuse = [id](absl::string_view why) {
    return absl::InvalidArgumentError(
        absl::StrCat("container id ", QuoteForMessage(id), ": ", why));
  };
  if (id.empty()) return refuse("empty");
  if (id.size() > kMaxContainerIdBytes) {
    return refuse(absl::StrCat(id.size(), " bytes are over the limit of ", kMaxContainerIdBytes));
  }
  if (id == "." || id == "..") return refuse("names a directory");
  const bool plain = std::all_of(id.begin(), id.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '_' || c == '+' || c == '.' || c == '-';
  });
  if (!plain) return refuse("only letters, digits and _+.- are allowed");
  return absl::OkStatus();
}

}  // namespace roster

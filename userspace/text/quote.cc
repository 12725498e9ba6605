#include "text/quote.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "text/string_view.h"

namespace roster {

std::string QuoteForMessage(std::string_view text, size_t max_bytes) {
  const bool cut = text.size() > max_bytes;
  return absl::StrCat("\"", absl::CHexEscape(ToAbsl(text.substr(0, max_bytes))),
                      cut ? "...\"" : "\"");
}

}  // namespace roster

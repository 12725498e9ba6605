#include "cli/text.h"

#include <cstdint>

#include "absl/strings/str_format.h"
#include "daemon/utf8.h"

namespace roster::cli {
namespace {

size_t WidthOf(uint32_t code) {
  if (code >= 0x300 && code <= 0x36f) return 0;
  const bool wide = (code >= 0x1100 && code <= 0x115f) || (code >= 0x2e80 && code <= 0xa4cf) ||
                    (code >= 0xac00 && code <= 0xd7a3) || (code >= 0xf900 && code <= 0xfaff) ||
                    (code >= 0xfe30 && code <= 0xfe6f) || (code >= 0xff00 && code <= 0xff60) ||
                    (code >= 0x1f300 && code <= 0x1f64f) || (code >= 0x1f900 && code <= 0x1f9ff) ||
                    (code >= 0x20000 && code <= 0x3fffd);
  return wide ? 2 : 1;
}

}  // namespace

std::string EscapeForTerminal(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    if (const size_t length = PrintableUtf8(text.substr(i)); length > 0) {
      escaped.append(text.substr(i, length));
      i += length;
      continue;
    }
    uint32_t code = 0;
    const size_t length = DecodeUtf8(text.substr(i), &code);
    if (text[i] == '\n') {
      escaped += "\\n";
    } else if (text[i] == '\t') {
      escaped += "\\t";
    } else if (length > 1) {
      absl::StrAppendFormat(&escaped, "\\u%04x", code);
    } else {
      absl::StrAppendFormat(&escaped, "\\x%02x", static_cast<unsigned char>(text[i]));
    }
    i += length > 0 ? length : 1;
  }
  return escaped;
}

size_t DisplayWidth(std::string_view escaped) {
  size_t width = 0;
  for (size_t i = 0; i < escaped.size();) {
    uint32_t code = 0;
    const size_t length = DecodeUtf8(escaped.substr(i), &code);
    width += length > 0 ? WidthOf(code) : 1;
    i += length > 0 ? length : 1;
  }
  return width;
}

std::string Shorten(std::string_view escaped, size_t width) {
  if (DisplayWidth(escaped) <= width) return std::string(escaped);
  size_t used = 0;
  size_t i = 0;
  while (i < escaped.size()) {
    uint32_t code = 0;
    const size_t length = DecodeUtf8(escaped.substr(i), &code);
    const size_t next = length > 0 ? WidthOf(code) : 1;
    if (used + next + 1 > width) break;
    used += next;
    i += length > 0 ? length : 1;
  }
  return std::string(escaped.substr(0, i)) + "…";
}

}  // namespace roster::cli

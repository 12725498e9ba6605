#include "text/terminal.h"

#include <cstdint>

#include "absl/strings/str_format.h"
#include "text/utf8.h"

namespace roster {
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

// The bytes of the first character of `text`, which is not empty, and its columns.
struct Character {
  size_t bytes = 1;
  size_t columns = 1;
};
Character FirstOf(std::string_view text) {
  uint32_t code = 0;
  const size_t bytes = DecodeUtf8(text, &code);
  return bytes == 0 ? Character{} : Character{bytes, WidthOf(code)};
}

// The longest beginning of at most `width` columns, combining characters and all.
std::string_view Beginning(std::string_view text, size_t width) {
  size_t bytes = 0;
  for (size_t used = 0; bytes < text.size();) {
    const Character next = FirstOf(text.substr(bytes));
    if (used + next.columns > width) break;
    used += next.columns;
    bytes += next.bytes;
  }
  return text.substr(0, bytes);
}

// The longest end of at most `width` columns of a text that takes `whole`.
std::string_view End(std::string_view text, size_t whole, size_t width) {
  while (whole > width) {
    const Character next = FirstOf(text);
    whole -= next.columns;
    text.remove_prefix(next.bytes);
  }
  return text;
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
  while (!escaped.empty()) {
    const Character next = FirstOf(escaped);
    width += next.columns;
    escaped.remove_prefix(next.bytes);
  }
  return width;
}

std::string Shorten(std::string_view escaped, size_t width, Ellipsis ellipsis) {
  const size_t whole = DisplayWidth(escaped);
  if (whole <= width) return std::string(escaped);
  if (ellipsis == Ellipsis::kNone) return std::string(Beginning(escaped, width));
  std::string mark = "…";
  if (width <= 1) return mark;
  const size_t kept = width - 1;
  switch (ellipsis) {
    case Ellipsis::kStart:
      return mark + std::string(End(escaped, whole, kept));
    case Ellipsis::kMiddle:
      return std::string(Beginning(escaped, kept - kept / 2)) + mark +
             std::string(End(escaped, whole, kept / 2));
    default:
      return std::string(Beginning(escaped, kept)) + mark;
  }
}

}  // namespace roster

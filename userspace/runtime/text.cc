#include "runtime/text.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace roster {
namespace {

bool IsContinuation(unsigned char byte) { return (byte & 0xc0) == 0x80; }

// The length of the well-formed sequence at `at` (RFC 3629: shortest form, no surrogates, up to
// U+10FFFF); 0: none.
size_t SequenceAt(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const size_t left = text.size() - at;
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return left >= 2 && IsContinuation(byte(1)) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    if (left < 3 || !IsContinuation(byte(1)) || !IsContinuation(byte(2))) return 0;
    if (first == 0xe0 && byte(1) < 0xa0) return 0;
    if (first == 0xed && byte(1) > 0x9f) return 0;
    return 3;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    if (left < 4 || !IsContinuation(byte(1)) || !IsContinuation(byte(2)) ||
        !IsContinuation(byte(3))) {
      return 0;
    }
    if (first == 0xf0 && byte(1) < 0x90) return 0;
    if (first == 0xf4 && byte(1) > 0x8f) return 0;
    return 4;
  }
  return 0;
}

}  // namespace

std::string QuoteForMessage(std::string_view text, size_t max_bytes) {
  const bool cut = text.size() > max_bytes;
  return absl::StrCat("\"", absl::CHexEscape(ToAbsl(text.substr(0, max_bytes))),
                      cut ? "...\"" : "\"");
}

bool IsValidUtf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const size_t size = SequenceAt(text, at);
    if (size == 0) return false;
    at += size;
  }
  return true;
}

std::string ToValidUtf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const size_t size = SequenceAt(text, at);
    valid.append(size == 0 ? std::string_view("\xef\xbf\xbd") : text.substr(at, size));
    at += size == 0 ? 1 : size;
  }
  return valid;
}

}  // namespace roster

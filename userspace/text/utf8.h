// UTF-8 from outside: taken apart, checked, mended (RFC 3629).
#ifndef ROSTER_USERSPACE_TEXT_UTF8_H_
#define ROSTER_USERSPACE_TEXT_UTF8_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace roster {

// Length in bytes of the character at the beginning of `text`, and its code point in `*code`; 0
// where it is no valid UTF-8 (overlong, surrogate, out of range, cut short).
constexpr size_t DecodeUtf8(std::string_view text, uint32_t* code) {
  if (text.empty()) return 0;
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) {
    *code = first;
    return 1;
  }
  const size_t length = first < 0xc2 || first >= 0xf5 ? 0
                        : first >= 0xf0               ? 4
                        : first >= 0xe0               ? 3
                                                      : 2;
  if (length == 0 || text.size() < length) return 0;
  *code = first & (0xffu >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xc0) != 0x80) return 0;
    *code = *code << 6 | (next & 0x3f);
  }
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (*code < kSmallest[length] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff))
    return 0;
  return length;
}

// Length in bytes of the character at the beginning of `text`; 0 where it is no valid UTF-8, a
// control character (C0, DEL, C1), or one that reorders or hides text (bidirectional controls,
// zero-width characters, line separators, the byte order mark).
constexpr size_t PrintableUtf8(std::string_view text) {
  uint32_t code = 0;
  const size_t length = DecodeUtf8(text, &code);
  if (length == 0 || code < 0x20 || (code >= 0x7f && code < 0xa0)) return 0;
  if (code == 0xad || code == 0x61c || code == 0x180e) return 0;
  if (code >= 0x200b && code <= 0x200f) return 0;
  if (code >= 0x2028 && code <= 0x202e) return 0;
  if (code >= 0x2060 && code <= 0x206f) return 0;
  if (code == 0xfeff || (code >= 0xfff0 && code <= 0xfffb)) return 0;
  if (code >= 0xe0000 && code <= 0xe0fff) return 0;  // tags: invisible
  return length;
}

// Every byte is part of a character.
bool IsValidUtf8(std::string_view text);
// `text` with each byte that is no part of one replaced by U+FFFD, as Go's json does.
std::string ToValidUtf8(std::string_view text);

}  // namespace roster

#endif  // ROSTER_USERSPACE_TEXT_UTF8_H_

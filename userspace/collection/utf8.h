// Utf8SequenceLength and Utf8Decode take text from outside apart, character by character.
#ifndef ROSTER_USERSPACE_COLLECTION_UTF8_H_
#define ROSTER_USERSPACE_COLLECTION_UTF8_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace roster {

// The length of the UTF-8 sequence at the start of `text`, which is not empty; 0 when it is not one
// (RFC 3629: no surrogates, no overlong forms, nothing above U+10FFFF).
inline size_t Utf8SequenceLength(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](size_t i) { return i < text.size() && (byte(i) & 0xC0) == 0x80; };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (!continues(1) || !continues(2)) return 0;
    if (first == 0xE0 && byte(1) < 0xA0) return 0;
    if (first == 0xED && byte(1) > 0x9F) return 0;
    return 3;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    if (first == 0xF0 && byte(1) < 0x90) return 0;
    if (first == 0xF4 && byte(1) > 0x8F) return 0;
    return 4;
  }
  return 0;
}

// The character of one whole sequence, as Utf8SequenceLength measured it.
inline uint32_t Utf8Decode(std::string_view sequence) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(sequence[i]); };
  if (sequence.size() == 1) return byte(0);
  uint32_t character = byte(0) & (0x7F >> sequence.size());
  for (size_t i = 1; i < sequence.size(); ++i) character = character << 6 | (byte(i) & 0x3F);
  return character;
}

}  // namespace roster

#endif  // ROSTER_USERSPACE_COLLECTION_UTF8_H_

// Text from outside, made fit for messages and for UTF-8 consumers.
#ifndef ROSTER_USERSPACE_RUNTIME_TEXT_H_
#define ROSTER_USERSPACE_RUNTIME_TEXT_H_

#include <string>
#include <string_view>

#include "absl/strings/string_view.h"

namespace roster {

// Debian's absl::string_view is a type of its own; these cross the border.
inline absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view ToStd(absl::string_view text) { return {text.data(), text.size()}; }

// `text` in double quotes with everything but printable ASCII escaped, cut after `max_bytes` of
// input with
// "..." for the rest: safe on a terminal and in a log line.
std::string QuoteForMessage(std::string_view text, size_t max_bytes = 64);

// `text` with each byte that is no part of well-formed UTF-8 replaced by U+FFFD, as Go's json does.
std::string ToValidUtf8(std::string_view text);
bool IsValidUtf8(std::string_view text);

}  // namespace roster

#endif  // ROSTER_USERSPACE_RUNTIME_TEXT_H_

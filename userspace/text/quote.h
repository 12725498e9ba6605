// QuoteForMessage names hostile text in an error message.
#ifndef ROSTER_USERSPACE_TEXT_QUOTE_H_
#define ROSTER_USERSPACE_TEXT_QUOTE_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace roster {

// `text` in double quotes with everything but printable ASCII escaped, cut after `max_bytes` of
// input with "..." for the rest: safe on a terminal and in a log line.
std::string QuoteForMessage(std::string_view text, size_t max_bytes = 64);

}  // namespace roster

#endif  // ROSTER_USERSPACE_TEXT_QUOTE_H_

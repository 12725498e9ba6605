// Text from outside, made fit for a terminal: escaped, measured, cut.
#ifndef ROSTER_USERSPACE_TEXT_TERMINAL_H_
#define ROSTER_USERSPACE_TEXT_TERMINAL_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "roster/column.h"

namespace roster {

// Control characters, escape sequences, bytes that are no UTF-8 and characters that reorder or hide
// text, each as \n, \t, \x1b or \u200b; all else as it is. The result is one line.
std::string EscapeForTerminal(std::string_view text);

// Columns that escaped text takes on a terminal: East Asian wide characters two, combining ones
// none.
size_t DisplayWidth(std::string_view escaped);

// At most `width` columns; where `ellipsis` says, an ellipsis stands for what was cut.
std::string Shorten(std::string_view escaped, size_t width, Ellipsis ellipsis = Ellipsis::kEnd);

}  // namespace roster

#endif  // ROSTER_USERSPACE_TEXT_TERMINAL_H_

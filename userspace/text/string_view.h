// ToAbsl and ToStd cross the border between the two kinds of string_view.
#ifndef ROSTER_USERSPACE_TEXT_STRING_VIEW_H_
#define ROSTER_USERSPACE_TEXT_STRING_VIEW_H_

#include <string_view>

#include "absl/strings/string_view.h"

namespace roster {

// Debian builds Abseil for C++14, where its string_view is a type of its own.
inline absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view ToStd(absl::string_view text) { return {text.data(), text.size()}; }

}  // namespace roster

#endif  // ROSTER_USERSPACE_TEXT_STRING_VIEW_H_

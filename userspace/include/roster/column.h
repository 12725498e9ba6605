// ColumnStyle says how one column of a table is called and laid out, ColumnValue what stands in it.
#ifndef ROSTER_COLUMN_H_
#define ROSTER_COLUMN_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace roster {

// Sorted and filtered by; values of one column have one type.
using ColumnValue = std::variant<std::string, uint64_t, int64_t, bool, absl::Duration>;

// As a cell shows it where the column has no text of its own: "12", "true", "1m30s".
std::string ColumnValueText(const ColumnValue& value);

enum class Alignment { kLeft, kRight };
// Where a text that is too long is cut; kNone cuts the end without a mark.
enum class Ellipsis { kNone, kStart, kMiddle, kEnd };

struct ColumnStyle {
  std::string name;
  // Further names that Find and Choose take it by.
  std::vector<std::string> aliases;
  int width = 16;  // in columns of a terminal
  int min_width = 1;
  int max_width = 0;   // 0: none
  bool fixed = false;  // the width is never adjusted
  bool hide = false;   // shown only when chosen
  int order = 0;
  Alignment alignment = Alignment::kLeft;
  Ellipsis ellipsis = Ellipsis::kEnd;
  std::vector<std::string> tags;
  std::string description;
};

// INVALID_ARGUMENT without a name or with widths that contradict each other.
absl::Status CheckColumnStyle(const ColumnStyle& style);

// The style that the reference gives every column of a kind: "timestamp", "node", "namespace",
// "pod", "container", "containerPid", "containerImageName", "containerImageDigest",
// "containerImageID", "containerStartedAt", "comm", "pid", "uid", "gid", "ns", "ipaddr", "ipport",
// "ipaddrport", "ipversion", "syscall". The name is left for the caller to set. NOT_FOUND for
// another kind.
absl::StatusOr<ColumnStyle> ColumnTemplate(std::string_view kind);

// True when `name` is the style's name or one of its aliases, in any case.
bool IsNamed(const ColumnStyle& style, std::string_view name);
// True when the style has the tag, in any case.
bool HasTag(const ColumnStyle& style, std::string_view tag);

// Which of `styles` the text chooses, as places in it: "a,b" is these in this order; "+a,-b" is
// what is not hidden with some more and without some; "" is what is not hidden. Blanks around names
// do not count. INVALID_ARGUMENT for an unknown name, which lists the known ones, and for a mixture
// of both forms.
absl::StatusOr<std::vector<size_t>> ChooseStyles(const std::vector<const ColumnStyle*>& styles,
                                                 std::string_view names);

using ValuePredicate = std::function<bool(const ColumnValue&)>;

// The part of a column filter after "column": ":value" equals, ":!value" does not, ":~regex" finds
// (RE2), ":>=value", ":>", ":<=", ":<" compare, ":!~regex" and so on negate; "" is ":". The value
// is read as the type that `type` has; an empty one is that type's zero. INVALID_ARGUMENT names
// `filter` and the offset in it, where `column_length` is the length of its beginning that is the
// column's name.
absl::StatusOr<ValuePredicate> ParseComparison(std::string_view filter, size_t column_length,
                                               const ColumnValue& type);
// Splits "column:..." for the above. INVALID_ARGUMENT when `filter` is too long (16 KiB).
absl::StatusOr<std::string_view> FilteredColumn(std::string_view filter);
// The error for a filter whose column is not known.
absl::Status NoSuchColumn(std::string_view filter);

}  // namespace roster

#endif  // ROSTER_COLUMN_H_

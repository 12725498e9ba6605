// Columns says how containers are shown as a table: which columns there are, and how to choose,
// sort, filter, group and print by them.
//
//   Columns columns = GetColumns();
//   std::vector<ContainerPtr> rows = ...;
//   auto filters = ParseColumnFilters(columns, {"k8s.namespace:shop",
//   "runtime.containerName:~^web"}); if (filters.ok()) rows = FilterRows(std::move(rows),
//   *filters); SortRows(columns, {"runtime.runtimeName", "-runtime.containerPid"}, &rows);
//   std::string table = FormatText(columns.Shown(), rows);
//
// Names are compared without regard to case. Names, widths, tags and behaviour are those of
// Inspektor Gadget's columns.
#ifndef ROSTER_COLUMNS_H_
#define ROSTER_COLUMNS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "roster/container.h"

namespace roster {

using ColumnValue = std::variant<std::string, uint64_t, int64_t, bool>;

enum class Alignment { kLeft, kRight };
// Where a text that is too long is cut; kNone cuts the end without a mark.
enum class Ellipsis { kNone, kStart, kMiddle, kEnd };

struct Column {
  std::string name;
  int width = 16;
  int min_width = 1;
  int max_width = 0;   // 0: none
  bool fixed = false;  // the width is never adjusted
  bool hide = false;   // shown only when chosen
  int order = 0;
  Alignment alignment = Alignment::kLeft;
  Ellipsis ellipsis = Ellipsis::kEnd;
  std::vector<std::string> tags;
  std::string description;
  // What sorting and filtering compare.
  std::function<ColumnValue(const Container&)> value;
  // What is shown; empty: the value.
  std::function<std::string(const Container&)> text;
  // For columns that are summed in a group: adds the second's value to the first's. Empty: the
  // group's first counts.
  std::function<void(Container*, const Container&)> sum;
};

class Columns {
 public:
  // INVALID_ARGUMENT without a name, a value or with widths that contradict; ALREADY_EXISTS for a
  // name in use.
  absl::Status Add(Column column);

  // nullptr when there is none.
  const Column* Find(std::string_view name) const;

  // By order, then as added.
  std::vector<const Column*> All() const;
  // Those that are not hidden.
  std::vector<const Column*> Shown() const;
  std::vector<const Column*> WithTag(std::string_view tag) const;
  std::vector<const Column*> WithoutTag(std::string_view tag) const;
  // "a,b" is these columns in this order; "+a,-b" is Shown with some more and without some.
  // INVALID_ARGUMENT for an unknown name or a mixture of both forms.
  absl::StatusOr<std::vector<const Column*>> Choose(std::string_view names) const;

 private:
  std::vector<std::shared_ptr<const Column>> columns_;
};

// The columns of a container.
Columns GetColumns();

// Stable; by the first key, then by the second, ...; "-name" is descending; no container (nullptr)
// comes last. Keys that are no column are ignored, and returned.
std::vector<std::string> SortRows(const Columns& columns, const std::vector<std::string>& keys,
                                  std::vector<ContainerPtr>* rows);

using ColumnFilter = std::function<bool(const Container&)>;

// "column:value" equals; "column:!value" does not; "column:~regex" finds (RE2); "column:>=value",
// ">", "<=", "<" compare; "column:!~regex" and so on negate. "column" alone is "column:".
// INVALID_ARGUMENT with the place for an unknown column, a number or boolean that is none, a
// regular expression that does not compile.
absl::StatusOr<ColumnFilter> ParseColumnFilter(const Columns& columns, std::string_view text);
absl::StatusOr<std::vector<ColumnFilter>> ParseColumnFilters(const Columns& columns,
                                                             const std::vector<std::string>& texts);
// What passes all filters.
std::vector<ContainerPtr> FilterRows(std::vector<ContainerPtr> rows,
                                     const std::vector<ColumnFilter>& filters);

// One row for each value of the keys together, in order of first appearance: the group's first row,
// with the sums of the columns that have them. "" as key groups everything. INVALID_ARGUMENT for an
// unknown key.
absl::StatusOr<std::vector<ContainerPtr>> GroupRows(const Columns& columns,
                                                    const std::vector<std::string>& keys,
                                                    const std::vector<ContainerPtr>& rows);

enum class HeaderStyle { kUpper, kLower, kNormal, kNone };

struct TextOptions {
  HeaderStyle header = HeaderStyle::kUpper;
  std::string divider = " ";
  // Widths follow the content, within each column's least and greatest.
  bool adjust_to_content = false;
  // The line's width to fill, by widening and narrowing columns that are not fixed in proportion;
  // 0: leave as they are.
  int line_width = 0;
};

// Lines, each ended. Characters that could do something to a terminal are shown as escapes (\n,
// \x1b, \u202e); texts are cut by characters, not bytes.
std::string FormatText(const std::vector<const Column*>& columns,
                       const std::vector<ContainerPtr>& rows, const TextOptions& options = {});

// An array of containers as roster/json.h writes them, indented by two spaces; "[]" for none.
std::string FormatJson(const std::vector<ContainerPtr>& rows);
// Indents compact JSON as Go's json.Indent does. What is no JSON comes out as some text.
std::string IndentJson(std::string_view json);

}  // namespace roster

#endif  // ROSTER_COLUMNS_H_

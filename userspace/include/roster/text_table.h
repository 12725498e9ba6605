// TextTable lays cells out in aligned columns.
#ifndef ROSTER_TEXT_TABLE_H_
#define ROSTER_TEXT_TABLE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "roster/column.h"

namespace roster {

enum class HeaderStyle { kUpper, kLower, kNormal, kNone };

struct TextOptions {
  HeaderStyle header = HeaderStyle::kUpper;
  bool bold_header = false;  // for a terminal
  std::string divider = " ";
  // What an empty cell shows.
  std::string empty;
  // Widths follow the content, within each column's least and greatest.
  bool adjust_to_content = false;
  // Cells that are too long are cut to their column; without it they push the rest to the right.
  bool cut = true;
  // The line's width to fill, by widening and narrowing columns that are not fixed in proportion;
  // 0: leave as they are.
  int line_width = 0;
};

// Texts from outside are shown with escapes for what could do something to a terminal (\n, \x1b,
// \u202e), measured and cut by what they take on a terminal. Nothing follows the last cell of a
// line. Not thread-safe.
class TextTable {
 public:
  using Cells = std::vector<std::string>;  // as many as there are columns

  TextTable(std::vector<ColumnStyle> columns, TextOptions options);

  // Header and rows, each line ended; the widths are those of these rows from now on.
  std::string Render(std::vector<Cells> rows);
  // One more line, ended, in the widths of the last Render; a cell that needs more, and that
  // adjust_to_content would give more, pushes the rest to the right.
  std::string Row(Cells cells) const;

 private:
  void AdjustWidths(const std::vector<Cells>& lines);
  void FillLine();
  std::string Line(const Cells& cells, const std::vector<int>& widths) const;
  Cells Shown(Cells cells) const;

  const std::vector<ColumnStyle> columns_;
  const TextOptions options_;
  std::vector<int> widths_;
};

}  // namespace roster

#endif  // ROSTER_TEXT_TABLE_H_

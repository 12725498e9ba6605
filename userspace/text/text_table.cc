#include "roster/text_table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "text/terminal.h"

namespace roster {
namespace {

constexpr char kBold[] = "\033[1m";
constexpr char kPlain[] = "\033[0m";

int WidthOf(const std::string& cell) { return static_cast<int>(DisplayWidth(cell)); }

std::string HeaderText(const ColumnStyle& column, HeaderStyle style) {
  switch (style) {
    case HeaderStyle::kUpper:
      return absl::AsciiStrToUpper(column.name);
    case HeaderStyle::kLower:
      return absl::AsciiStrToLower(column.name);
    default:
      return column.name;
  }
}

int Within(const ColumnStyle& column, int width) {
  width = std::max(width, column.min_width);
  return column.max_width == 0 ? width : std::min(width, column.max_width);
}

std::vector<int> OwnWidths(const std::vector<ColumnStyle>& columns) {
  std::vector<int> widths;
  widths.reserve(columns.size());
  for (const ColumnStyle& column : columns) widths.push_back(column.width);
  return widths;
}

}  // namespace

TextTable::TextTable(std::vector<ColumnStyle> columns, TextOptions options)
    : columns_(std::move(columns)), options_(std::move(options)), widths_(OwnWidths(columns_)) {}

TextTable::Cells TextTable::Shown(Cells cells) const {
  for (std::string& cell : cells) cell = cell.empty() ? options_.empty : EscapeForTerminal(cell);
  return cells;
}

void TextTable::AdjustWidths(const std::vector<Cells>& lines) {
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i].fixed) continue;
    int longest = 0;
    for (const Cells& line : lines) longest = std::max(longest, WidthOf(line[i]));
    widths_[i] = options_.cut ? Within(columns_[i], longest) : longest;
  }
}

void TextTable::FillLine() {
  int room =
      options_.line_width - WidthOf(options_.divider) * (static_cast<int>(columns_.size()) - 1);
  int flexible = 0;
  for (size_t i = 0; i < columns_.size(); ++i) {
    (columns_[i].fixed ? room : flexible) += columns_[i].fixed ? -widths_[i] : widths_[i];
  }
  if (flexible == 0) return;
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i].fixed) continue;
    widths_[i] = Within(columns_[i], std::max(1, room * widths_[i] / flexible));
  }
}

std::string TextTable::Line(const Cells& cells, const std::vector<int>& widths) const {
  std::string line;
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (i > 0) line += options_.divider;
    const std::string cell =
        options_.cut ? Shorten(cells[i], static_cast<size_t>(widths[i]), columns_[i].ellipsis)
                     : cells[i];
    const std::string space(static_cast<size_t>(std::max(0, widths[i] - WidthOf(cell))), ' ');
    line += columns_[i].alignment == Alignment::kRight ? space + cell : cell + space;
  }
  absl::StripTrailingAsciiWhitespace(&line);
  return line;
}

std::string TextTable::Render(std::vector<Cells> rows) {
  std::vector<Cells> lines;
  const bool header = options_.header != HeaderStyle::kNone;
  if (header) {
    Cells& names = lines.emplace_back();
    for (const ColumnStyle& column : columns_) names.push_back(HeaderText(column, options_.header));
  }
  for (Cells& row : rows) lines.push_back(Shown(std::move(row)));
  widths_ = OwnWidths(columns_);
  if (options_.adjust_to_content) AdjustWidths(lines);
  if (options_.line_width > 0) FillLine();

  std::string text;
  for (size_t i = 0; i < lines.size(); ++i) {
    const bool bold = header && i == 0 && options_.bold_header;
    absl::StrAppend(&text, bold ? kBold : "", Line(lines[i], widths_), bold ? kPlain : "", "\n");
  }
  return text;
}

std::string TextTable::Row(Cells cells) const {
  cells = Shown(std::move(cells));
  // A later row may need more than those before it; only what the column itself bounds is cut.
  std::vector<int> widths = widths_;
  for (size_t i = 0; options_.adjust_to_content && i < columns_.size(); ++i) {
    if (!columns_[i].fixed) widths[i] = std::max(widths[i], Within(columns_[i], WidthOf(cells[i])));
  }
  return Line(cells, widths) + "\n";
}

}  // namespace roster

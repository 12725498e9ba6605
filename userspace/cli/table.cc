#include "cli/table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "cli/text.h"

namespace roster::cli {
namespace {

constexpr size_t kGap = 3;

}  // namespace

Table::Table(std::vector<const Column*> columns, TableStyle style)
    : columns_(std::move(columns)), style_(style), widths_(columns_.size(), 0) {}

std::vector<std::string> Table::Cells(const Entry& entry, absl::Time now) const {
  std::vector<std::string> cells;
  cells.reserve(columns_.size());
  for (const Column* column : columns_) {
    std::string cell = EscapeForTerminal(column->text(entry, now));
    if (style_.shorten && column->width != 0) cell = Shorten(cell, column->width);
    cells.push_back(cell.empty() ? "-" : std::move(cell));
  }
  return cells;
}

std::string Table::Line(const std::vector<std::string>& cells) const {
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    const size_t width = DisplayWidth(cells[i]);
    const size_t padding = widths_[i] > width ? widths_[i] - width : 0;
    if (i > 0) line.append(kGap, ' ');
    if (columns_[i]->right) line.append(padding, ' ');
    line += cells[i];
    if (!columns_[i]->right && i + 1 < cells.size()) line.append(padding, ' ');
  }
  line += '\n';
  return line;
}

std::string Table::Render(const std::vector<Entry>& entries, absl::Time now) {
  std::vector<std::vector<std::string>> rows;
  rows.reserve(entries.size());
  std::vector<std::string> header;
  for (size_t i = 0; i < columns_.size(); ++i) {
    header.push_back(absl::AsciiStrToUpper(columns_[i]->name));
    widths_[i] = style_.headers ? header[i].size() : 0;
  }
  for (const Entry& entry : entries) {
    rows.push_back(Cells(entry, now));
    for (size_t i = 0; i < columns_.size(); ++i)
      widths_[i] = std::max(widths_[i], DisplayWidth(rows.back()[i]));
  }
  std::string text;
  if (style_.headers) {
    if (style_.bold_headers) text += "\033[1m";
    text += Line(header);
    if (style_.bold_headers) text.insert(text.size() - 1, "\033[0m");
  }
  for (const auto& row : rows) text += Line(row);
  return text;
}

std::string Table::RenderRow(const Entry& entry, absl::Time now) const {
  return Line(Cells(entry, now));
}

}  // namespace roster::cli

#include "cli/table.h"

#include <utility>

namespace roster::cli {

EntryTable::EntryTable(std::vector<const EntryColumn*> columns, TableStyle style)
    : columns_(std::move(columns)),
      table_(Styles(columns_), {.header = style.headers ? HeaderStyle::kUpper : HeaderStyle::kNone,
                                .bold_header = style.bold_headers,
                                .divider = "   ",
                                .empty = "-",
                                .adjust_to_content = true,
                                .cut = style.shorten}) {}

std::string EntryTable::Render(const std::vector<Entry>& entries) {
  std::vector<TextTable::Cells> rows;
  rows.reserve(entries.size());
  for (const Entry& entry : entries) rows.push_back(CellsOf(columns_, entry));
  return table_.Render(std::move(rows));
}

std::string EntryTable::Row(const Entry& entry) const {
  return table_.Row(CellsOf(columns_, entry));
}

}  // namespace roster::cli

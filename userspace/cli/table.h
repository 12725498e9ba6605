// EntryTable prints containers in aligned columns.
#ifndef ROSTER_USERSPACE_CLI_TABLE_H_
#define ROSTER_USERSPACE_CLI_TABLE_H_

#include <string>
#include <vector>

#include "cli/columns.h"
#include "cli/entry.h"
#include "roster/text_table.h"

namespace roster::cli {

struct TableStyle {
  bool headers = true;
  bool bold_headers = false;  // for a terminal
  bool shorten = true;        // cells to their column's width
};

// Widths follow the content; what is unknown is "-".
class EntryTable {
 public:
  EntryTable(std::vector<const EntryColumn*> columns, TableStyle style);

  // Header and rows, each line ended.
  std::string Render(const std::vector<Entry>& entries);
  // One more line, in the widths of the last Render.
  std::string Row(const Entry& entry) const;

 private:
  const std::vector<const EntryColumn*> columns_;
  TextTable table_;
};

}  // namespace roster::cli

#endif  // ROSTER_USERSPACE_CLI_TABLE_H_

// Table lays rows of text out in aligned columns.
#ifndef ROSTER_USERSPACE_CLI_TABLE_H_
#define ROSTER_USERSPACE_CLI_TABLE_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cli/columns.h"
#include "cli/entry.h"

namespace roster::cli {

struct TableStyle {
  bool headers = true;
  bool bold_headers = false;  // for a terminal
  bool shorten = true;        // cells to their column's width
};

class Table {
 public:
  Table(std::vector<const Column*> columns, TableStyle style);

  // Header and rows, each line ended. Widths are those of the longest cell; nothing follows a
  // line's last cell. Empty cells are "-". What comes from outside is escaped.
  std::string Render(const std::vector<Entry>& entries, absl::Time now);
  // One more line, in the widths of the last Render (cells that are longer push the rest to the
  // right).
  std::string RenderRow(const Entry& entry, absl::Time now) const;

 private:
  std::vector<std::string> Cells(const Entry& entry, absl::Time now) const;
  std::string Line(const std::vector<std::string>& cells) const;

  const std::vector<const Column*> columns_;
  const TableStyle style_;
  std::vector<size_t> widths_;
};

}  // namespace roster::cli

#endif  // ROSTER_USERSPACE_CLI_TABLE_H_

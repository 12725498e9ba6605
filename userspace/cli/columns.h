// Columns are what a table can show of a container, by name.
#ifndef ROSTER_USERSPACE_CLI_COLUMNS_H_
#define ROSTER_USERSPACE_CLI_COLUMNS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/entry.h"

namespace roster::cli {

struct Column {
  const char* name;       // in -o columns=...; the header is the same in upper case
  const char* reference;  // the name in Inspektor Gadget, accepted as well; "": none
  const char* help;
  size_t width;  // a cell is shortened to it in the normal table; 0: never
  bool right;    // aligned to the right, and sorted as a number
  std::string (*text)(const Entry&, absl::Time now);
  // What is sorted by, where that is not the text.
  uint64_t (*number)(const Entry&);
};

// All there are, in the order of --help.
const std::vector<Column>& AllColumns();
std::vector<const Column*> TableColumns();
std::vector<const Column*> WideColumns();

// "id,name,-age": case does not matter. INVALID_ARGUMENT for a name that is not known; the message
// has the known ones.
absl::StatusOr<std::vector<const Column*>> ParseColumns(std::string_view text);

// Sorts stably by "runtime,-age" ('-': descending). The error as above. nullptr: only checks the
// keys.
absl::Status SortEntries(std::string_view keys, std::vector<Entry>* entries);

}  // namespace roster::cli

#endif  // ROSTER_USERSPACE_CLI_COLUMNS_H_

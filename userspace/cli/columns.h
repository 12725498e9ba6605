// The columns of `roster list`, over the library's columns.
#ifndef ROSTER_USERSPACE_CLI_COLUMNS_H_
#define ROSTER_USERSPACE_CLI_COLUMNS_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/entry.h"
#include "roster/columns.h"

namespace roster::cli {

using EntryColumn = BasicColumn<Entry>;
using EntryColumns = BasicColumns<Entry>;
using EntryFilter = BasicColumnFilter<Entry>;

// All there are, in the order of --help; those of `roster list` without -o are shown, the others
// hidden. Their aliases are Inspektor Gadget's names. Ages are as of `clock`.
EntryColumns MakeEntryColumns(const std::function<absl::Time()>& clock);
// The same with the real clock; never destroyed.
const EntryColumns& AllColumns();

std::vector<const EntryColumn*> WideColumns();
// Entry::event, which is no column that can be chosen.
const EntryColumn& EventColumn();

// "id,name" or "+labels,-age". INVALID_ARGUMENT for a name that is not known; the message has the
// known ones.
absl::StatusOr<std::vector<const EntryColumn*>> ParseColumns(std::string_view text);

// Sorts stably by "runtime,-age" ('-': descending). The error as above.
absl::Status SortEntries(std::string_view keys, std::vector<Entry>* entries);
// Only checks the keys.
absl::Status CheckSortKeys(std::string_view keys);

// "status:running", "age:>1h", "name:~^web": as ParseColumnFilter.
absl::StatusOr<std::vector<EntryFilter>> ParseFilters(const std::vector<std::string>& texts);
bool PassesAll(const Entry& entry, const std::vector<EntryFilter>& filters);

}  // namespace roster::cli

#endif  // ROSTER_USERSPACE_CLI_COLUMNS_H_

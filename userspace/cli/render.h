// Render prints containers in the format that -o asks for.
#ifndef ROSTER_USERSPACE_CLI_RENDER_H_
#define ROSTER_USERSPACE_CLI_RENDER_H_

#include <string>

#include "cli/entry.h"
#include "cli/flags.h"
#include "cli/table.h"

namespace roster::cli {

EntryTable MakeTable(const OutputFormat& format, bool headers);

// One container: as an object in JSON and YAML, as a table of one row otherwise.
std::string RenderOne(const OutputFormat& format, bool headers, const Entry& entry);

// Several: an array in JSON and YAML, else `table`.
std::string RenderAll(const OutputFormat& format, const std::vector<Entry>& entries,
                      EntryTable* table);

}  // namespace roster::cli

#endif  // ROSTER_USERSPACE_CLI_RENDER_H_

#include "cli/render.h"

#include "cli/output.h"

namespace roster::cli {

EntryTable MakeTable(const OutputFormat& format, bool headers) {
  return EntryTable(format.columns, {.headers = headers,
                                     .bold_headers = StdoutIsColourful(),
                                     .shorten = format.format == Format::kTable});
}

std::string RenderOne(const OutputFormat& format, bool headers, const Entry& entry) {
  switch (format.format) {
    case Format::kJson:
      return EntryJsonPretty(entry);
    case Format::kYaml:
      return EntryYaml(entry);
    default:
      return MakeTable(format, headers).Render({entry});
  }
}

std::string RenderAll(const OutputFormat& format, const std::vector<Entry>& entries,
                      EntryTable* table) {
  switch (format.format) {
    case Format::kJson:
      return EntriesJson(entries);
    case Format::kYaml:
      return EntriesYaml(entries);
    default:
      return table->Render(entries);
  }
}

}  // namespace roster::cli

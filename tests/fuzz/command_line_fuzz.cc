// Any words, apart by NUL, as a runtime's command line; the first one is the executable's name.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/command_line.h"
#include "runtime/container_id.h"
#include "text/string_view.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> argv;
  while (!rest.empty()) {
    const size_t end = rest.find('\0');
    argv.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  const std::string exe = argv.empty() ? "" : argv.front();
  const absl::StatusOr<roster::Intent> intent = roster::ParseCommandLine(exe, argv);
  if (!intent.ok()) {
    const std::string_view message = roster::ToStd(intent.status().message());
    const bool printable =
        std::all_of(message.begin(), message.end(), [](char c) { return c >= ' ' && c <= '~'; });
    if (!printable || message.size() > 1024) abort();
    return 0;
  }
  // Whatever the words: an id that is handed on is a valid one.
  const auto check = [](const std::string& id) {
    if (!roster::ValidateContainerId(id).ok()) abort();
  };
  if (const auto* create = std::get_if<roster::CreateIntent>(&*intent)) check(create->id);
  if (const auto* join = std::get_if<roster::JoinIntent>(&*intent)) check(join->id);
  if (const auto* conmon = std::get_if<roster::ConmonIntent>(&*intent)) check(conmon->id);
  return 0;
}

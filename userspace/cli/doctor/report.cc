// All checks, as text and as JSON.
#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "cli/doctor/check.h"
#include "daemon/convert.h"
#include "nlohmann/json.hpp"
#include "text/terminal.h"
#include "text/utf8.h"

namespace roster::cli {
namespace {

constexpr struct {
  const char* word;
  const char* mark;
  const char* colour;
} kVerdicts[] = {{"good", "✓", "\033[32m"},
                 {"info", "·", "\033[36m"},
                 {"warning", "!", "\033[33m"},
                 {"failure", "✗", "\033[31m"}};

}  // namespace

Checks AllChecks(const Paths& paths) {
  Checks checks = {
      CheckPrivileges(),      CheckKernelVersion(), CheckBtf(),          CheckBpfFilesystem(paths),
      CheckTracingPrograms(), CheckFanotify(),      CheckPidNamespace(), CheckPtrace(),
      CheckNamespaceIds(),    CheckCgroups()};
  for (Checks more :
       {CheckRuntimes(), Checks{CheckDaemon(paths), CheckPins(paths)}, CheckCounters(paths)}) {
    std::move(more.begin(), more.end(), std::back_inserter(checks));
  }
  return checks;
}

std::string ChecksText(const Checks& checks, bool colour) {
  size_t width = 0;
  for (const Check& check : checks) width = std::max(width, check.name.size());
  std::string text;
  for (const Check& check : checks) {
    const auto& verdict = kVerdicts[static_cast<size_t>(check.verdict)];
    absl::StrAppend(&text, colour ? verdict.colour : "", verdict.mark, colour ? "\033[0m" : "", " ",
                    check.name, std::string(width - check.name.size() + 2, ' '),
                    EscapeForTerminal(check.detail), "\n");
    if (!check.advice.empty()) {
      absl::StrAppend(&text, std::string(width + 4, ' '), "→ ", EscapeForTerminal(check.advice),
                      "\n");
    }
  }
  return text;
}

std::string ChecksJson(const Checks& checks) {
  nlohmann::ordered_json array = nlohmann::ordered_json::array();
  for (const Check& check : checks) {
    nlohmann::ordered_json json = {{"check", check.name},
                                   {"verdict", kVerdicts[static_cast<size_t>(check.verdict)].word},
                                   {"detail", ToValidUtf8(check.detail)}};
    if (!check.advice.empty()) json["advice"] = ToValidUtf8(check.advice);
    array.push_back(std::move(json));
  }
  return array.dump(2, ' ', /*ensure_ascii=*/true) + "\n";
}

}  // namespace roster::cli

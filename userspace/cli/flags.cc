#include "cli/flags.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "daemon/options.h"
#include "kernel/errors.h"
#include "roster/selector.h"

namespace roster::cli {

void AddSocketOption(Paths* paths, Command* command) {
  paths->socket = kDefaultSocket;
  command->options.push_back({"--socket", &paths->socket, "PATH", "Unix socket of the daemon"});
}

void AddPinDirOption(Paths* paths, Command* command) {
  paths->pin_dir = ROSTER_PIN_DIR;
  command->options.push_back(
      {"--pin-dir", &paths->pin_dir, "PATH", "Directory of the pinned maps"});
}

void AddStateDirOption(Paths* paths, Command* command) {
  paths->state_dir = kDefaultStateDir;
  command->options.push_back(
      {"--state-dir", &paths->state_dir, "PATH", "Directory of the socket and the lock file"});
}

void AddSelectorOptions(SelectorFlags* flags, Command* command) {
  const std::string group = "Which containers (a filter is \"a,b,!c\": a or b, and not c)";
  const auto add = [&](const char* names, auto* value, const char* type, const char* help) {
    command->options.push_back({names, value, type, help, group});
  };
  add("-n,--namespace", &flags->namespace_name, "FILTER", "Kubernetes namespace");
  add("-p,--pod", &flags->pod, "FILTER", "Kubernetes pod");
  add("-c,--container", &flags->container, "FILTER",
      "Name of the container: its name in the pod, outside Kubernetes the engine's");
  add("-l,--selector", &flags->labels, "EXPR",
      "Labels, as kubectl takes them: 'app in (web,api),tier!=db,!canary'");
  add("--runtime", &flags->runtime, "NAMES", "Engine or runtime, one or several: docker,podman");
}

absl::StatusOr<v1::Selector> ToSelector(const SelectorFlags& flags) {
  v1::Selector selector;
  selector.set_namespace_(flags.namespace_name);
  selector.set_pod(flags.pod);
  selector.set_container(flags.container);
  std::string where = absl::StrJoin(flags.labels, ",");
  if (!flags.runtime.empty()) {
    const std::vector<std::string> names = absl::StrSplit(flags.runtime, ',');
    for (const std::string& name : names) {
      bool plain = !name.empty();
      for (const char c : name)
        plain = plain && (absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' ||
                          c == '_' || c == '.');
      if (!plain) {
        return absl::InvalidArgumentError(
            absl::StrCat("--runtime \"", flags.runtime, "\": \"", name,
                         "\" is no runtime's name; write for example docker,podman"));
      }
    }
    absl::StrAppend(&where, where.empty() ? "" : ",", "@runtime in (", absl::StrJoin(names, ","),
                    ")");
  }
  selector.set_where(where);
  // Refused here, so that the error is the same whoever answers.
  const auto compiled = CompiledSelector::Compile({.where = where});
  if (!compiled.ok()) return compiled.status();
  return selector;
}

absl::StatusOr<OutputFormat> ParseOutputFormat(std::string_view text) {
  absl::string_view rest(text.data(), text.size());
  if (rest == "table") return OutputFormat{Format::kTable, AllColumns().Shown()};
  if (rest == "wide") return OutputFormat{Format::kWide, WideColumns()};
  if (rest == "json") return OutputFormat{Format::kJson, {}};
  if (rest == "yaml") return OutputFormat{Format::kYaml, {}};
  if (absl::ConsumePrefix(&rest, "columns=")) {
    ROSTER_ASSIGN_OR_RETURN(auto columns, ParseColumns(std::string_view(rest.data(), rest.size())));
    return OutputFormat{Format::kColumns, std::move(columns)};
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "-o \"", rest, "\" is not known; there are table, wide, json, yaml, columns=NAME,..."));
}

}  // namespace roster::cli

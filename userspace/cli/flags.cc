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

void AddSocketFlag(CLI::App* app, Paths* paths) {
  paths->socket = kDefaultSocket;
  app->add_option("--socket", paths->socket, "Unix socket of the daemon")
      ->type_name("PATH")
      ->capture_default_str();
}

void AddPinDirFlag(CLI::App* app, Paths* paths) {
  paths->pin_dir = ROSTER_PIN_DIR;
  app->add_option("--pin-dir", paths->pin_dir, "Directory of the pinned maps")
      ->type_name("PATH")
      ->capture_default_str();
}

void AddStateDirFlag(CLI::App* app, Paths* paths) {
  paths->state_dir = kDefaultStateDir;
  app->add_option("--state-dir", paths->state_dir, "Directory of the socket and the lock file")
      ->type_name("PATH")
      ->capture_default_str();
}

void AddSelectorFlags(CLI::App* app, SelectorFlags* flags) {
  const std::string group = "Which containers (a filter is \"a,b,!c\": a or b, and not c)";
  app->add_option("-n,--namespace", flags->namespace_name, "Kubernetes namespace")
      ->type_name("FILTER")
      ->group(group);
  app->add_option("-p,--pod", flags->pod, "Kubernetes pod")->type_name("FILTER")->group(group);
  app->add_option("-c,--container", flags->container,
                  "Name of the container: its name in the pod, outside Kubernetes the engine's")
      ->type_name("FILTER")
      ->group(group);
  app->add_option("-l,--selector", flags->labels,
                  "Labels, as kubectl takes them: 'app in (web,api),tier!=db,!canary'")
      ->type_name("EXPR")
      ->group(group)
      ->take_all();
  app->add_option("--runtime", flags->runtime, "Engine or runtime, one or several: docker,podman")
      ->type_name("NAMES")
      ->group(group);
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

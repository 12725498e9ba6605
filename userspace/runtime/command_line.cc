#include "runtime/command_line.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "kernel/errors.h"
#include "runtime/container_id.h"
#include "runtime/option_scanner.h"
#include "runtime/option_tables.h"
#include "text/quote.h"
#include "text/string_view.h"

namespace roster {
namespace {

using Words = std::vector<std::string>;

// Puts the command into a message about it: "runc create: ...".
absl::Status About(std::string_view runtime, std::string_view command, const absl::Status& status) {
  return absl::Status(status.code(),
                      absl::StrCat(QuoteForMessage(runtime, 32), command.empty() ? "" : " ",
                                   ToAbsl(command), ": ", status.message()));
}

struct GlobalOptions {
  std::string root;
  bool systemd_cgroup = false;
  std::string_view command;  // "": none
  size_t rest = 0;           // index of the word after the command
};

absl::StatusOr<GlobalOptions> ParseGlobal(const Grammar& grammar, const Words& argv) {
  GlobalOptions global;
  OptionScanner scanner(argv, 1, grammar.spelling, grammar.global);
  while (true) {
    ROSTER_ASSIGN_OR_RETURN(const std::optional<OptionScanner::Item> item, scanner.Next());
    if (!item.has_value()) return global;
    if (item->positional) {
      global.command = item->value;
      global.rest = scanner.position();
      return global;
    }
    if (item->option == nullptr) {
      // An option of a newer version. The next word is its value unless it can be the sub-command.
      const std::optional<std::string_view> next = scanner.PossibleValue();
      if (next.has_value() && !IsSubcommand(*next)) scanner.SkipWord();
      continue;
    }
    switch (item->option->role) {
      case OptionRole::kRoot:
        global.root = item->value;
        break;
      case OptionRole::kSystemdCgroup:
        global.systemd_cgroup = item->on;
        break;
      case OptionRole::kHelp:
        if (item->on) return GlobalOptions{};
        break;
      default:
        break;
    }
  }
}

// nullopt: `create --help` and the like.
absl::StatusOr<std::optional<CreateIntent>> ParseCreate(const Grammar& grammar, const Words& argv,
                                                        const GlobalOptions& global) {
  CreateIntent intent;
  intent.root = global.root;
  intent.systemd_cgroup = global.systemd_cgroup;
  intent.restore = global.command == "restore";
  intent.run = global.command != "create";
  OptionScanner scanner(argv, global.rest, grammar.spelling, grammar.create);
  std::string_view last_word;
  while (true) {
    ROSTER_ASSIGN_OR_RETURN(const std::optional<OptionScanner::Item> item, scanner.Next());
    if (!item.has_value()) break;
    if (item->positional) last_word = item->value;
    if (item->option == nullptr) continue;
    switch (item->option->role) {
      case OptionRole::kBundle:
        intent.bundle = item->value;
        break;
      case OptionRole::kPidFile:
        intent.pid_file = item->value;
        break;
      case OptionRole::kConfig:
        intent.config = item->value;
        break;
      case OptionRole::kDetach:
        intent.detach = item->on;
        break;
      case OptionRole::kHelp:
        if (item->on) return std::optional<CreateIntent>();
        break;
      default:
        break;
    }
  }
  if (last_word.empty()) return absl::InvalidArgumentError("no container id");
  ROSTER_RETURN_IF_ERROR(ValidateContainerId(last_word));
  intent.id = last_word;
  return intent;
}

absl::StatusOr<std::optional<JoinIntent>> ParseExec(const Grammar& grammar, const Words& argv,
                                                    const GlobalOptions& global) {
  OptionScanner scanner(argv, global.rest, grammar.spelling, grammar.exec);
  while (true) {
    ROSTER_ASSIGN_OR_RETURN(const std::optional<OptionScanner::Item> item, scanner.Next());
    if (!item.has_value()) return absl::InvalidArgumentError("no container id");
    if (item->positional) {
      // Everything behind the id is the command to run in the container.
      ROSTER_RETURN_IF_ERROR(ValidateContainerId(item->value));
      return JoinIntent{"", std::string(item->value), global.root};
    }
    if (item->option != nullptr && item->option->role == OptionRole::kHelp && item->on) {
      return std::optional<JoinIntent>();
    }
  }
}

// The value of --root among the words that conmon hands to the runtime.
std::string RootAmong(const Words& runtime_args) {
  Words words = {"runtime"};
  words.insert(words.end(), runtime_args.begin(), runtime_args.end());
  const absl::StatusOr<GlobalOptions> global = ParseGlobal(GrammarOf("runc"), words);
  return global.ok() ? global->root : "";
}

absl::StatusOr<Intent> ParseConmon(const Words& argv) {
  ConmonIntent intent;
  Words runtime_args;
  OptionScanner scanner(argv, 1, Spelling::kGlib, ConmonOptions());
  while (true) {
    ROSTER_ASSIGN_OR_RETURN(const std::optional<OptionScanner::Item> item, scanner.Next());
    if (!item.has_value()) break;
    if (item->option == nullptr) continue;
    switch (item->option->role) {
      case OptionRole::kBundle:
        intent.bundle = item->value;
        break;
      case OptionRole::kContainerId:
        intent.id = item->value;
        break;
      case OptionRole::kName:
        intent.name = item->value;
        break;
      case OptionRole::kPidFile:
        intent.pid_file = item->value;
        break;
      case OptionRole::kRuntime:
        intent.runtime = item->value;
        break;
      case OptionRole::kRuntimeArg:
        runtime_args.emplace_back(item->value);
        break;
      case OptionRole::kExec:  // joins a container that exists; the runtime's own exec says so
      case OptionRole::kHelp:
        return Intent();
      default:
        break;
    }
  }
  if (intent.id.empty()) return absl::InvalidArgumentError("no container id (--cid)");
  ROSTER_RETURN_IF_ERROR(ValidateContainerId(intent.id));
  intent.root = RootAmong(runtime_args);
  return Intent(std::move(intent));
}

absl::StatusOr<Intent> ParseRuntime(std::string_view runtime, const Words& argv,
                                    std::string_view* command) {
  const Grammar& grammar = GrammarOf(runtime);
  ROSTER_ASSIGN_OR_RETURN(const GlobalOptions global, ParseGlobal(grammar, argv));
  *command = global.command;
  if (global.command == "create" || global.command == "run" || global.command == "restore") {
    ROSTER_ASSIGN_OR_RETURN(std::optional<CreateIntent> intent, ParseCreate(grammar, argv, global));
    if (!intent.has_value()) return Intent();
    intent->runtime = runtime;
    return Intent(*std::move(intent));
  }
  if (global.command == "exec") {
    ROSTER_ASSIGN_OR_RETURN(std::optional<JoinIntent> intent, ParseExec(grammar, argv, global));
    if (!intent.has_value()) return Intent();
    intent->runtime = runtime;
    return Intent(*std::move(intent));
  }
  return Intent();
}

}  // namespace

std::string_view KnownRuntime(std::string_view exe_basename) {
  if (exe_basename == "conmon") return "conmon";
  if (exe_basename == "krun") return "crun";  // crun under the name that makes it use libkrun
  for (const std::string_view runtime : {"runc", "crun", "youki", "runsc"}) {
    if (exe_basename == runtime) return runtime;
    // docker-runc, runc-1.2.3, runc.real: the name must stand by itself, or
    // "containerd-shim-runc-v2" would be one.
    if (exe_basename.starts_with(runtime) &&
        !absl::ascii_isalnum(static_cast<unsigned char>(exe_basename[runtime.size()]))) {
      return runtime;
    }
    if (exe_basename.ends_with(runtime) &&
        exe_basename[exe_basename.size() - runtime.size() - 1] == '-') {
      return runtime;
    }
  }
  return "";
}

absl::StatusOr<Intent> ParseCommandLine(std::string_view exe_basename,
                                        const std::vector<std::string>& argv) {
  std::string_view runtime = KnownRuntime(exe_basename);
  if (runtime.empty()) runtime = exe_basename;
  std::string_view command = "";
  absl::StatusOr<Intent> intent =
      runtime == "conmon" ? ParseConmon(argv) : ParseRuntime(runtime, argv, &command);
  if (!intent.ok()) return About(runtime, command, intent.status());
  return intent;
}

}  // namespace roster

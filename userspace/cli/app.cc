// The program: its subcommands declared to the parser, and the one that is given run.
#include <string>
#include <variant>
#include <vector>

#include "CLI/CLI.hpp"
#include "cli/commands.h"
#include "cli/output.h"
#include "daemon/daemon.h"

namespace roster::cli {
namespace {

constexpr char kFooter[] = R"(Examples:
  roster list                            the containers on this host
  roster list -n shop -l 'app in (web)'  those of a namespace, by label
  roster watch -o json                   one JSON object for each event
  roster get 4f3a                        one container, by the beginning of its id
  roster lookup --pid 4711               the container that a process is in
  roster doctor                          what works on this host, what does not, and why
)";

constexpr char kExitCodes[] =
    "\nExit codes: 0 done, 1 error, 2 argument not understood, 3 no such container.";

CLI::Option* Declare(const Option& option, CLI::App* app) {
  if (bool* const* flag = std::get_if<bool*>(&option.value)) {
    return app->add_flag(option.names, **flag, option.help);
  }
  CLI::Option* declared = nullptr;
  if (std::string* const* text = std::get_if<std::string*>(&option.value)) {
    declared = app->add_option(option.names, **text, option.help);
    if (!(*text)->empty()) declared->capture_default_str();
  } else {
    declared = app->add_option(option.names, *std::get<std::vector<std::string>*>(option.value),
                               option.help);
    declared->take_all();
  }
  declared->type_name(option.type);
  if (option.names[0] != '-') declared->required();
  return declared;
}

// `*given` will be the command that the command line names; both must outlive the parsing.
void Declare(const Command& command, CLI::App* app, const Command** given) {
  CLI::App* declared = app->add_subcommand(command.name, command.description);
  declared->footer("Examples:\n" + command.examples + kExitCodes + command.epilog);
  if (!command.alias.empty()) declared->alias(command.alias);
  CLI::App* one_of = nullptr;
  for (const Option& option : command.options) {
    if (!option.one_of) {
      CLI::Option* const added = Declare(option, declared);
      if (!option.group.empty()) added->group(option.group);
      continue;
    }
    if (one_of == nullptr) {
      one_of = declared->add_option_group(option.group, "exactly one");
      one_of->require_option(1);
    }
    Declare(option, one_of);
  }
  declared->callback([&command, given] { *given = &command; });
}

}  // namespace

std::vector<Command> AllCommands() {
  return {ListCommand(),      WatchCommand(),   GetCommand(),
          LookupCommand(),    DoctorCommand(),  DaemonCommand(),
          UninstallCommand(), VersionCommand(), CompletionCommand()};
}

int Finish(const absl::Status& status) {
  if (!status.ok()) PrintError(std::string_view(status.message().data(), status.message().size()));
  return ExitCodeOf(status);
}

int RunCli(int argc, const char* const* argv) {
  const std::vector<Command> commands = AllCommands();
  const Command* given = nullptr;
  CLI::App app("The roll call of containers, kept in the Linux kernel.", "roster");
  app.require_subcommand(1);
  app.footer(std::string(kFooter) + kExitCodes + "\n`roster COMMAND --help` has more examples.");
  app.set_version_flag("--version", "roster " + std::string(kRosterVersion));
  app.get_formatter()->column_width(34);
  for (const Command& command : commands) Declare(command, &app, &given);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    Print(app.help());  // the subcommand's own where one was given
    return kExitOk;
  } catch (const CLI::CallForVersion& version) {
    Print(std::string(version.what()) + "\n");
    return kExitOk;
  } catch (const CLI::ParseError& error) {
    const auto begun = app.get_subcommands();
    // CLI11 says only that a command is missing.
    if (begun.empty() && argc > 1 && argv[1][0] != '-') {
      PrintError(std::string("\"") + argv[1] + "\" is no command");
    } else {
      PrintError(error.what());
    }
    PrintNotice(begun.empty() ? "see: roster --help"
                              : "see: roster " + begun.front()->get_name() + " --help");
    return kExitUsage;
  }
  return given->run();
}

}  // namespace roster::cli

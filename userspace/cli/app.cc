#include <string>

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

Exit codes: 0 done, 1 error, 2 argument not understood, 3 no such container.
`roster COMMAND --help` has more examples.)";

}  // namespace

CLI::App* AddSubcommand(CLI::App* app, const char* name, const char* description,
                        const char* examples) {
  CLI::App* command = app->add_subcommand(name, description);
  command->footer(std::string("Examples:\n") + examples +
                  "\nExit codes: 0 done, 1 error, 2 argument not understood, 3 no such container.");
  return command;
}

std::unique_ptr<CLI::App> MakeApp(Action* action) {
  auto app = std::make_unique<CLI::App>("The roll call of containers, kept in the Linux kernel.",
                                        "roster");
  app->require_subcommand(1);
  app->footer(kFooter);
  app->set_version_flag("--version", "roster " + std::string(kRosterVersion));
  app->get_formatter()->column_width(34);
  AddList(app.get(), action);
  AddWatch(app.get(), action);
  AddGet(app.get(), action);
  AddLookup(app.get(), action);
  AddDoctor(app.get(), action);
  AddDaemon(app.get(), action);
  AddUninstall(app.get(), action);
  AddVersion(app.get(), action);
  AddCompletion(app.get(), action);
  return app;
}

int Finish(const absl::Status& status) {
  if (!status.ok()) PrintError(std::string_view(status.message().data(), status.message().size()));
  return ExitCodeOf(status);
}

int RunCli(int argc, const char* const* argv) {
  Action action;
  const std::unique_ptr<CLI::App> app = MakeApp(&action);
  try {
    app->parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    Print(app->help());  // the subcommand's own where one was given
    return kExitOk;
  } catch (const CLI::CallForVersion& version) {
    Print(std::string(version.what()) + "\n");
    return kExitOk;
  } catch (const CLI::ParseError& error) {
    const auto given = app->get_subcommands();
    // CLI11 says only that a command is missing.
    if (given.empty() && argc > 1 && argv[1][0] != '-') {
      PrintError(std::string("\"") + argv[1] + "\" is no command");
    } else {
      PrintError(error.what());
    }
    PrintNotice(given.empty() ? "see: roster --help"
                              : "see: roster " + given.front()->get_name() + " --help");
    return kExitUsage;
  }
  return action();
}

}  // namespace roster::cli

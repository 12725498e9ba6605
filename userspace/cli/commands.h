// The subcommands: each Add... puts one into the program and, when it is the one given, sets what
// is to be run.
#ifndef ROSTER_USERSPACE_CLI_COMMANDS_H_
#define ROSTER_USERSPACE_CLI_COMMANDS_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "cli/exit_code.h"

namespace roster::cli {

// Returns the exit code. Set by a subcommand's callback, run after the whole command line has been
// understood.
using Action = std::function<int()>;

void AddDaemon(CLI::App* app, Action* action);
void AddList(CLI::App* app, Action* action);
void AddWatch(CLI::App* app, Action* action);
void AddGet(CLI::App* app, Action* action);
void AddLookup(CLI::App* app, Action* action);
void AddDoctor(CLI::App* app, Action* action);
void AddVersion(CLI::App* app, Action* action);
void AddUninstall(CLI::App* app, Action* action);
void AddCompletion(CLI::App* app, Action* action);

// The whole program.
std::unique_ptr<CLI::App> MakeApp(Action* action);
// main() without the process: the exit code. Prints help and errors.
int RunCli(int argc, const char* const* argv);

// Prints the error, if it is one, and returns its exit code.
int Finish(const absl::Status& status);

// A subcommand with examples at the end of its help.
CLI::App* AddSubcommand(CLI::App* app, const char* name, const char* description,
                        const char* examples);

}  // namespace roster::cli

#endif  // ROSTER_USERSPACE_CLI_COMMANDS_H_

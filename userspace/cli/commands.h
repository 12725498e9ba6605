// The subcommands, and the program that has them.
#ifndef ROSTER_USERSPACE_CLI_COMMANDS_H_
#define ROSTER_USERSPACE_CLI_COMMANDS_H_

#include <vector>

#include "absl/status/status.h"
#include "cli/command.h"
#include "cli/exit_code.h"

namespace roster::cli {

Command DaemonCommand();
Command ListCommand();
Command WatchCommand();
Command GetCommand();
Command LookupCommand();
Command DoctorCommand();
Command VersionCommand();
Command UninstallCommand();
Command CompletionCommand();

// In the order of the help.
std::vector<Command> AllCommands();

// main() without the process: the exit code. Prints help and errors.
int RunCli(int argc, const char* const* argv);

// Prints the error, if it is one, and returns its exit code.
int Finish(const absl::Status& status);

}  // namespace roster::cli

#endif  // ROSTER_USERSPACE_CLI_COMMANDS_H_

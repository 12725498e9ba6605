// Command is what the program's command line may say after the name of a subcommand, and what is
// then run.
//
// Plain data, so that one source knows the parser (app.cc): CLI11 takes several seconds of every
// source that reads it.
#ifndef ROSTER_USERSPACE_CLI_COMMAND_H_
#define ROSTER_USERSPACE_CLI_COMMAND_H_

#include <functional>
#include <string>
#include <variant>
#include <vector>

namespace roster::cli {

struct Option {
  // "-o,--output"; without dashes it is what stands there without a name, and must be given.
  std::string names;
  // Where it goes, which the command's `run` keeps alive: a flag, a text (its value before is the
  // default), or all that were given.
  std::variant<bool*, std::string*, std::vector<std::string>*> value;
  std::string type;  // of the value, in the help: "PATH"; "" of a flag
  std::string help;
  std::string group = {};  // heading in the help; "": the common one
  // Exactly one of those of the command that say so is to be given; they have one heading.
  bool one_of = false;
};

struct Command {
  std::string name;
  std::string description;
  std::string examples;     // in the help, lines with two spaces before each
  std::string epilog = {};  // the end of the help
  std::string alias = {};
  // In the order of the help.
  std::vector<Option> options = {};
  // Returns the exit code. Called after the whole command line has been understood.
  std::function<int()> run;
};

}  // namespace roster::cli

#endif  // ROSTER_USERSPACE_CLI_COMMAND_H_

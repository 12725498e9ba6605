// What each container runtime's command line looks like: its options, which of them take a value,
// their spelling.
#ifndef ROSTER_USERSPACE_RUNTIME_OPTION_TABLES_H_
#define ROSTER_USERSPACE_RUNTIME_OPTION_TABLES_H_

#include <span>
#include <string_view>

namespace roster {

// What Roster wants of an option; kNone: only to step over it.
enum class OptionRole {
  kNone,
  kBundle,
  kConfig,
  kContainerId,
  kDetach,
  kExec,
  kHelp,
  kName,
  kPidFile,
  kRoot,
  kRuntime,
  kRuntimeArg,
  kSystemdCgroup,
};

struct Option {
  std::string_view name;  // without dashes
  char letter;            // '\0': none
  bool takes_value;
  OptionRole role = OptionRole::kNone;
};

// How the runtime's option parser reads a word.
enum class Spelling {
  kGo,      // runc, runsc: -name is --name, -b is --b, a flag may have =false
  kGetopt,  // crun: clusters of letters, -bVALUE, names may be shortened while they are unambiguous
  kClap,    // youki: clusters of letters, -bVALUE, -b=VALUE
  kGlib,    // conmon: clusters of letters, a letter's value is always the next word
};

struct Grammar {
  std::string_view runtime;
  Spelling spelling;
  std::span<const Option> global;
  std::span<const Option> create;  // create, run and restore together
  std::span<const Option> exec;
};

// The grammar of "runc", "crun", "youki" or "runsc"; runc's for any other name.
const Grammar& GrammarOf(std::string_view runtime);
std::span<const Option> ConmonOptions();

// Whether `word` is a sub-command of any runtime known here.
bool IsSubcommand(std::string_view word);

}  // namespace roster

#endif  // ROSTER_USERSPACE_RUNTIME_OPTION_TABLES_H_

// The completion scripts of deploy/completion, compiled in.
#ifndef ROSTER_USERSPACE_CLI_COMPLETION_SCRIPTS_H_
#define ROSTER_USERSPACE_CLI_COMPLETION_SCRIPTS_H_

#include <string_view>

namespace roster::cli {

struct CompletionScript {
  std::string_view shell;
  std::string_view text;
};
extern const CompletionScript kCompletionScripts[3];

}  // namespace roster::cli

#endif  // ROSTER_USERSPACE_CLI_COMPLETION_SCRIPTS_H_

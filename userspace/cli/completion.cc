// roster completion: the scripts that make a shell complete this program's command line.
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/completion_scripts.h"
#include "cli/output.h"

namespace roster::cli {
namespace {

constexpr char kCompletionExamples[] = R"(  source <(roster completion bash)
  roster completion bash > /etc/bash_completion.d/roster
  roster completion zsh > "${fpath[1]}/_roster"
  roster completion fish > ~/.config/fish/completions/roster.fish
)";

}  // namespace

Command CompletionCommand() {
  const auto shell = std::make_shared<std::string>();
  Command command{.name = "completion",
                  .description = "Print the completion script of a shell",
                  .examples = kCompletionExamples};
  command.options = {{"SHELL", shell.get(), "", "bash, zsh or fish"}};
  command.run = [shell] {
    for (const CompletionScript& script : kCompletionScripts) {
      if (*shell == script.shell) {
        Print(script.text);
        return static_cast<int>(kExitOk);
      }
    }
    return Finish(absl::InvalidArgumentError(
        absl::StrCat("shell \"", *shell, "\" is not known; there are bash, zsh, fish")));
  };
  return command;
}

}  // namespace roster::cli

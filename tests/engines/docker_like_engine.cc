#include "engines/docker_like_engine.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "engines/command.h"
#include "engines/image.h"
#include "kernel/errors.h"

namespace roster::testing {
namespace {

void Append(std::vector<std::string>* to, const std::vector<std::string>& from) {
  to->insert(to->end(), from.begin(), from.end());
}

}  // namespace

absl::StatusOr<std::string> DockerLikeEngine::Call(
    const std::vector<std::string>& arguments) const {
  CommandOptions options;
  options.environment = workspace_.environment();
  Append(&options.environment, Environment());
  std::vector<std::string> line = Program();
  Append(&line, arguments);
  return RunForOutput(line, options);
}

std::string DockerLikeEngine::CommandPrefix() const {
  std::vector<std::string> words = Environment();
  if (!words.empty()) words.insert(words.begin(), "env");
  Append(&words, Program());
  return absl::StrJoin(words, " ");
}

absl::StatusOr<std::string> DockerLikeEngine::Begin(std::vector<std::string> line,
                                                    const ContainerSpec& spec) const {
  Append(&line, {"--name", spec.name, "--network", spec.host_network ? "host" : "none"});
  if (spec.host_pid) Append(&line, {"--pid", "host"});
  Append(&line, RunOptions());
  line.push_back(kImageName);
  Append(&line, spec.arguments);
  return Call(line);
}

absl::StatusOr<std::string> DockerLikeEngine::Run(const ContainerSpec& spec) {
  return Begin({"run", "-d"}, spec);
}

absl::StatusOr<std::string> DockerLikeEngine::Create(const ContainerSpec& spec) {
  return Begin({"create"}, spec);
}

absl::Status DockerLikeEngine::StartCreated(const std::string& name) {
  return Call({"start", name}).status();
}

absl::StatusOr<int> DockerLikeEngine::Exec(const std::string& name,
                                           const std::vector<std::string>& arguments) {
  std::vector<std::string> line = Program();
  Append(&line, {"exec", name});
  Append(&line, arguments);
  CommandOptions options;
  options.environment = workspace_.environment();
  Append(&options.environment, Environment());
  ROSTER_ASSIGN_OR_RETURN(CommandResult result, RunCommand(line, options));
  return result.exit_code;
}

absl::Status DockerLikeEngine::Kill(const std::string& name, int signal) {
  return Call({"kill", "--signal", std::to_string(signal), name}).status();
}

absl::Status DockerLikeEngine::Remove(const std::string& name) {
  std::vector<std::string> line{"rm", "--force", "--volumes"};
  Append(&line, RemoveOptions());
  line.push_back(name);
  absl::Status removed = Call(line).status();
  // Podman kills it and waits for a time that nobody can set: on a busy machine it gives up.
  if (absl::StrContains(removed.message(), "did not die within timeout")) {
    removed = Call(line).status();
  }
  return removed;
}

absl::Status DockerLikeEngine::RemoveAll() {
  ROSTER_ASSIGN_OR_RETURN(std::vector<std::string> names, ListOwn());
  if (names.empty()) return absl::OkStatus();
  std::vector<std::string> line{"rm", "--force", "--volumes"};
  Append(&line, RemoveOptions());
  Append(&line, names);
  return Call(line).status();
}

absl::StatusOr<pid_t> DockerLikeEngine::Pid(const std::string& name) {
  ROSTER_ASSIGN_OR_RETURN(std::string text, Call({"inspect", "--format", "{{.State.Pid}}", name}));
  pid_t pid = 0;
  if (!absl::SimpleAtoi(text, &pid) || pid <= 0)
    return absl::NotFoundError(absl::StrCat("pid of ", name, ": ", text));
  return pid;
}

absl::StatusOr<std::vector<std::string>> DockerLikeEngine::ListOwn() {
  ROSTER_ASSIGN_OR_RETURN(std::string text, Call({"ps", "--all", "--format", "{{.Names}}"}));
  return std::vector<std::string>(absl::StrSplit(text, '\n', absl::SkipEmpty()));
}

}  // namespace roster::testing

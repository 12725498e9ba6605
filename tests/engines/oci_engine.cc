#include "engines/oci_engine.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "engines/command.h"
#include "engines/oci_bundle.h"
#include "kernel/errors.h"
#include "nlohmann/json.hpp"

namespace roster::testing {

OciEngine::OciEngine(std::string program, const Workspace& workspace, States states)
    : program_(std::move(program)),
      name_(std::filesystem::path(program_).filename()),
      states_(states),
      workspace_(workspace),
      directory_(workspace.MakeDirectory(name_)) {}

std::vector<std::string> OciEngine::CommandLine(const std::vector<std::string>& arguments) const {
  std::vector<std::string> line{program_};
  if (states_ == States::kOwn) line.insert(line.end(), {"--root", StateDirectory()});
  line.insert(line.end(), arguments.begin(), arguments.end());
  return line;
}

std::string OciEngine::CgroupsPath(const std::string& name) const {
  return absl::StrCat("/", workspace_.unique_name(), "/", name_, "-", name);
}

std::vector<std::string> OciEngine::Environment() const {
  std::vector<std::string> environment = workspace_.environment();
  // runsc's sandbox, which is nobody, begins in it; the workspace is root's alone.
  if (name_ == "runsc") environment.back() = "TMPDIR=/tmp";
  return environment;
}

absl::StatusOr<std::string> OciEngine::Call(const std::vector<std::string>& arguments) const {
  CommandOptions options;
  options.environment = Environment();
  return RunForOutput(CommandLine(arguments), options);
}

absl::Status OciEngine::Start() {
  ROSTER_ASSIGN_OR_RETURN(rootfs_, MakeRootfs(workspace_));
  return absl::OkStatus();
}

absl::Status OciEngine::Stop() {
  if (states_ == States::kOwn && !std::filesystem::exists(StateDirectory())) {
    return absl::OkStatus();
  }
  ROSTER_ASSIGN_OR_RETURN(std::vector<std::string> names, ListOwn());
  absl::Status first = absl::OkStatus();
  for (const std::string& name : names) {
    if (states_ == States::kDefault && name.rfind(workspace_.unique_name(), 0) != 0) continue;
    first.Update(Remove(name));
  }
  return first;
}

absl::StatusOr<std::string> OciEngine::Begin(const std::string& verb, const ContainerSpec& spec,
                                             std::vector<std::string> options) {
  const std::string bundle = BundleOf(spec.name);
  ROSTER_RETURN_IF_ERROR(WriteBundle(bundle, OciConfig(spec, rootfs_, CgroupsPath(spec.name))));
  std::vector<std::string> arguments{verb};
  arguments.insert(arguments.end(), options.begin(), options.end());
  arguments.insert(arguments.end(), {"--bundle", bundle, "--pid-file", bundle + "/pid", spec.name});
  absl::StatusOr<std::string> output = Call(arguments);
  if (!output.ok()) return output.status();
  return spec.name;
}

absl::StatusOr<std::string> OciEngine::Run(const ContainerSpec& spec) {
  return Begin("run", spec, {"--detach"});
}

absl::StatusOr<std::string> OciEngine::Create(const ContainerSpec& spec) {
  return Begin("create", spec, {});
}

absl::Status OciEngine::StartCreated(const std::string& name) {
  return Call({"start", name}).status();
}

absl::StatusOr<int> OciEngine::Exec(const std::string& name,
                                    const std::vector<std::string>& arguments) {
  std::vector<std::string> line = CommandLine({"exec", name});
  line.insert(line.end(), arguments.begin(), arguments.end());
  CommandOptions options;
  options.environment = Environment();
  ROSTER_ASSIGN_OR_RETURN(CommandResult result, RunCommand(line, options));
  return result.exit_code;
}

absl::Status OciEngine::Kill(const std::string& name, int signal) {
  return Call({"kill", name, std::to_string(signal)}).status();
}

absl::Status OciEngine::Remove(const std::string& name) {
  absl::Status removed = Call({"delete", "--force", name}).status();
  std::error_code ignored;
  std::filesystem::remove_all(BundleOf(name), ignored);
  return removed;
}

absl::StatusOr<pid_t> OciEngine::Pid(const std::string& name) {
  ROSTER_ASSIGN_OR_RETURN(std::string text, Call({"state", name}));
  nlohmann::json state = nlohmann::json::parse(text, nullptr, false);
  if (!state.is_object() || !state.contains("pid") || !state["pid"].is_number_integer() ||
      state["pid"] == 0) {
    return absl::NotFoundError(absl::StrCat("pid of ", name, " in: ", text));
  }
  return state["pid"].get<pid_t>();
}

absl::StatusOr<std::vector<std::string>> OciEngine::ListOwn() {
  // runsc has no -q, and youki tells all whatever it is asked for.
  ROSTER_ASSIGN_OR_RETURN(std::string text, Call({"list", "--quiet"}));
  std::vector<std::string> names;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    std::string name(line.substr(0, line.find_first_of(" \t")));
    if (name != "ID") names.push_back(std::move(name));
  }
  return names;
}

std::string OciEngine::CommandPrefix() const { return absl::StrJoin(CommandLine({}), " "); }

}  // namespace roster::testing

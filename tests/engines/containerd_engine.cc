#include "engines/containerd_engine.h"

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "engines/command.h"
#include "engines/image.h"
#include "kernel/errors.h"

namespace roster::testing {
namespace {

std::vector<std::string> Joined(std::vector<std::string> first,
                                const std::vector<std::string>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

// What the tests do not use is off: it would write below /opt and /etc, or look for a network.
constexpr char kConfig[] = R"(version = 2
root = "%ROOT"
state = "%STATE"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt", "io.containerd.internal.v1.tracing",
                    "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
                    "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper"]
[grpc]
  address = "%SOCKET"
)";

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

}  // namespace

ContainerdEngine::ContainerdEngine(const Workspace& workspace)
    : workspace_(workspace), directory_(workspace.MakeDirectory("containerd")) {
  service_.socket = directory_ + "/containerd.sock";
  service_.arguments = {"containerd", "--config", directory_ + "/config.toml"};
  service_.environment = workspace.environment();
  service_.pid_path = directory_ + "/pid";
  service_.log_path = directory_ + "/log";
}

absl::StatusOr<std::string> ContainerdEngine::Call(
    const std::vector<std::string>& arguments) const {
  CommandOptions options;
  options.environment = workspace_.environment();
  return RunForOutput(
      Joined({"ctr", "--address", service_.socket, "--namespace", containerd_namespace()},
             arguments),
      options);
}

std::string ContainerdEngine::CommandPrefix() const {
  return absl::StrCat("ctr --address ", service_.socket, " --namespace ", containerd_namespace());
}

absl::Status ContainerdEngine::Start() {
  ROSTER_ASSIGN_OR_RETURN(Image image, MakeImage(workspace_));
  std::string config = Replaced(kConfig, "%ROOT", directory_ + "/root");
  config = Replaced(config, "%STATE", directory_ + "/state");
  std::ofstream(directory_ + "/config.toml") << Replaced(config, "%SOCKET", service_.socket);
  ROSTER_RETURN_IF_ERROR(StartService(service_));
  return Call({"images", "import", image.archive}).status();
}

absl::Status ContainerdEngine::Stop() {
  absl::Status first = absl::OkStatus();
  if (auto names = ListOwn(); names.ok()) {
    for (const std::string& name : *names) first.Update(Remove(name));
  }
  first.Update(StopService(service_));
  // The shim leaves it, empty; each is one more place to look for a container's state.
  std::error_code not_empty;
  std::filesystem::remove(absl::StrCat("/run/containerd/runc/", containerd_namespace()), not_empty);
  return first;
}

absl::StatusOr<std::string> ContainerdEngine::Create(const ContainerSpec& spec) {
  std::vector<std::string> line{"containers", "create"};
  if (spec.host_network) line.push_back("--net-host");
  if (spec.host_pid)
    return absl::UnimplementedError("ctr has no option for the host's pid namespace");
  line.insert(line.end(), {kImageName, spec.name});
  absl::StatusOr<std::string> made = Call(Joined(line, spec.arguments));
  if (!made.ok()) return made.status();
  return spec.name;
}

absl::Status ContainerdEngine::StartCreated(const std::string& name) {
  return Call({"tasks", "start", "--detach", "--fifo-dir",
               workspace_.MakeDirectory("containerd/fifos"), name})
      .status();
}

absl::StatusOr<std::string> ContainerdEngine::Run(const ContainerSpec& spec) {
  if (spec.host_pid)
    return absl::UnimplementedError("ctr has no option for the host's pid namespace");
  std::vector<std::string> line{"run", "--detach", "--fifo-dir",
                                workspace_.MakeDirectory("containerd/fifos")};
  if (spec.host_network) line.push_back("--net-host");
  line.insert(line.end(), {kImageName, spec.name});
  absl::StatusOr<std::string> made = Call(Joined(line, spec.arguments));
  if (!made.ok()) return made.status();
  return spec.name;
}

absl::StatusOr<int> ContainerdEngine::Exec(const std::string& name,
                                           const std::vector<std::string>& arguments) {
  static std::atomic<int> number = 0;
  CommandOptions options;
  options.environment = workspace_.environment();
  std::vector<std::string> line{"ctr",
                                "--address",
                                service_.socket,
                                "--namespace",
                                containerd_namespace(),
                                "tasks",
                                "exec",
                                "--fifo-dir",
                                workspace_.MakeDirectory("containerd/fifos"),
                                "--exec-id",
                                absl::StrCat("exec-", ::getpid(), "-", ++number),
                                name};
  ROSTER_ASSIGN_OR_RETURN(CommandResult result, RunCommand(Joined(line, arguments), options));
  return result.exit_code;
}

absl::Status ContainerdEngine::Kill(const std::string& name, int signal) {
  return Call({"tasks", "kill", "--signal", std::to_string(signal), name}).status();
}

absl::Status ContainerdEngine::Remove(const std::string& name) {
  // Without a task this fails, and then there is none to delete; `containers delete` is what must
  // succeed.
  Call({"tasks", "delete", "--force", name}).status().IgnoreError();
  return Call({"containers", "delete", name}).status();
}

absl::StatusOr<pid_t> ContainerdEngine::Pid(const std::string& name) {
  ROSTER_ASSIGN_OR_RETURN(std::string table, Call({"tasks", "list"}));
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string task, state;
    pid_t pid = 0;
    if (words >> task >> pid >> state && task == name && state == "RUNNING") return pid;
  }
  return absl::NotFoundError(absl::StrCat("running task ", name));
}

absl::StatusOr<std::vector<std::string>> ContainerdEngine::ListOwn() {
  ROSTER_ASSIGN_OR_RETURN(std::string text, Call({"containers", "list", "--quiet"}));
  return std::vector<std::string>(absl::StrSplit(text, '\n', absl::SkipEmpty()));
}

}  // namespace roster::testing

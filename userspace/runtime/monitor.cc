#include "runtime/monitor.h"

#include <fcntl.h>

#include <nlohmann/json.hpp>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "runtime/bounded_file.h"
#include "runtime/command_line.h"
#include "runtime/container_id.h"
#include "text/string_view.h"

namespace roster {
namespace {

using nlohmann::json;

std::string Basename(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));  // npos + 1 is 0
}

std::string Dirname(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos || slash == 0 ? "" : path.substr(0, slash);
}

std::string Absolute(const std::string& cwd, const std::string& path) {
  if (path.empty()) return cwd;
  return path.front() == '/' ? path : absl::StrCat(cwd, "/", path);
}

// The value of a Go flag: -name X, --name X, -name=X, --name=X; "" when it is not there.
std::string GoFlag(const std::vector<std::string>& argv, absl::string_view name) {
  for (size_t i = 1; i < argv.size(); ++i) {
    absl::string_view word = argv[i];
    if (!absl::ConsumePrefix(&word, "-")) continue;
    absl::ConsumePrefix(&word, "-");
    if (!absl::ConsumePrefix(&word, name)) continue;
    if (word.empty()) return i + 1 < argv.size() ? argv[i + 1] : "";
    if (absl::ConsumePrefix(&word, "=")) return std::string(word);
  }
  return "";
}

// The runtime's name and state root that the shim was told, which it keeps as options.json in the
// bundle.
void ReadShimOptions(const ProcTask& task, std::string* binary, std::string* root) {
  const absl::StatusOr<Fd> cwd = task.OpenCwd();
  if (!cwd.ok()) return;
  const absl::StatusOr<std::string> text = ReadBoundedFile(
      cwd->get(), "options.json", "options.json", {.max_bytes = 65536, .root_owned = true});
  if (!text.ok()) return;
  const json options = json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!options.is_object()) return;
  const auto text_of = [&options](const char* name) {
    const auto member = options.find(name);
    return member != options.end() && member->is_string() ? member->get<std::string>() : "";
  };
  *binary = text_of("binary_name");
  *root = text_of("root");
}

std::optional<Monitor> ReadShim(const ProcTask& task, const std::vector<std::string>& argv,
                                const std::string& cwd) {
  Monitor monitor;
  monitor.id = GoFlag(argv, "id");
  const std::string ns = GoFlag(argv, "namespace");
  if (!ValidateContainerId(monitor.id).ok() || !ValidateContainerId(ns).ok()) return std::nullopt;
  monitor.runtime_name = ns == "moby" ? "docker" : "containerd";
  if (Basename(cwd) == monitor.id) {
    monitor.bundle = cwd;
    monitor.bundle_parent = Dirname(cwd);
    monitor.pid_file = absl::StrCat(cwd, "/init.pid");
  }
  std::string binary;
  std::string root;
  ReadShimOptions(task, &binary, &root);
  monitor.oci_runtime = KnownRuntime(Basename(binary));
  if (binary.starts_with("/")) monitor.runtime_path = binary;
  if (!root.empty()) monitor.state_roots.push_back(absl::StrCat(root, "/", ns));
  // dockerd's own containerd listens at <exec-root>/containerd/containerd.sock; its runtimes'
  // states are beside.
  const std::string exec_root = Dirname(Dirname(GoFlag(argv, "address")));
  if (ns == "moby" && !exec_root.empty()) {
    monitor.state_roots.push_back(absl::StrCat(exec_root, "/runtime-runc/", ns));
  }
  monitor.state_roots.push_back(absl::StrCat("/run/containerd/runc/", ns));
  return monitor;
}

std::optional<Monitor> FromIntent(Intent intent, const std::string& cwd) {
  Monitor monitor;
  std::string root;
  if (auto* conmon = std::get_if<ConmonIntent>(&intent)) {
    monitor.id = std::move(conmon->id);
    monitor.name = std::move(conmon->name);
    monitor.oci_runtime = KnownRuntime(Basename(conmon->runtime));
    if (conmon->runtime.starts_with("/")) monitor.runtime_path = conmon->runtime;
    monitor.bundle = Absolute(cwd, conmon->bundle);
    if (!conmon->pid_file.empty()) monitor.pid_file = Absolute(cwd, conmon->pid_file);
    root = std::move(conmon->root);
  } else if (auto* create = std::get_if<CreateIntent>(&intent)) {
    monitor.id = std::move(create->id);
    monitor.oci_runtime = std::move(create->runtime);
    monitor.bundle = Absolute(cwd, create->bundle);
    if (!create->pid_file.empty()) monitor.pid_file = Absolute(cwd, create->pid_file);
    root = std::move(create->root);
  } else {
    return std::nullopt;
  }
  if (!root.empty()) {
    monitor.state_roots.push_back(Absolute(cwd, root));
  } else if (!monitor.oci_runtime.empty()) {
    monitor.state_roots.push_back(absl::StrCat("/run/", monitor.oci_runtime));
  }
  return monitor;
}

// A process inside a container can call itself anything.
bool IsRootsOnHost(const ProcTask& task, uint64_t host_mntns) {
  const absl::StatusOr<uid_t> uid = task.RealUid();
  const absl::StatusOr<uint64_t> mntns = task.NamespaceInode(NamespaceKind::kMnt);
  return uid.ok() && *uid == 0 && mntns.ok() && *mntns == host_mntns;
}

}  // namespace

std::optional<Monitor> ReadMonitor(const ProcTask& task, uint64_t host_mntns) {
  if (!IsRootsOnHost(task, host_mntns)) return std::nullopt;
  const absl::StatusOr<std::string> exe = task.Exe();
  if (!exe.ok()) return std::nullopt;
  const std::string program = Basename(ToStd(absl::StripSuffix(*exe, " (deleted)")));
  const bool shim = program.starts_with("containerd-shim");
  // runc and crun run from a copy of themselves, in memory ("/memfd:...") or on a detached mount
  // ("/"); what they were called as is in argv[0].
  const bool copy = program.empty() || program == "exe" || exe->starts_with("/memfd:");
  if (!shim && !copy && KnownRuntime(program).empty()) return std::nullopt;
  const absl::StatusOr<std::vector<std::string>> argv = task.Cmdline();
  if (!argv.ok() || argv->empty()) return std::nullopt;
  const absl::StatusOr<std::string> cwd = task.CwdPath();
  if (!cwd.ok()) return std::nullopt;
  if (shim) return ReadShim(task, *argv, *cwd);
  const std::string name = copy ? Basename(argv->front()) : program;
  if (KnownRuntime(name).empty()) return std::nullopt;
  absl::StatusOr<Intent> intent = ParseCommandLine(name, *argv);
  if (!intent.ok()) return std::nullopt;
  return FromIntent(*std::move(intent), *cwd);
}

std::string RuntimeAtWork(const ProcTask& task, uint64_t host_mntns) {
  if (!IsRootsOnHost(task, host_mntns)) return "";
  const absl::StatusOr<std::string> exe = task.Exe();
  const absl::StatusOr<std::vector<std::string>> argv = task.Cmdline();
  if (!exe.ok() || !argv.ok() || argv->empty()) return "";
  // A copy of itself, as above, was called by the name of its original.
  const bool copy = *exe == "/" || exe->starts_with("/memfd:");
  const std::string& path = copy ? argv->front() : *exe;
  if (!path.starts_with("/")) return "";
  const absl::StatusOr<Intent> intent = ParseCommandLine(Basename(path), *argv);
  return intent.ok() && std::holds_alternative<CreateIntent>(*intent) ? path : "";
}

}  // namespace roster

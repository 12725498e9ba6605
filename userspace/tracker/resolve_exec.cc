#include "tracker/resolve_exec.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "kernel/errors.h"
#include "process/held_exec.h"
#include "process/proc_task.h"
#include "runtime/bundle.h"
#include "runtime/metadata.h"

namespace roster {
namespace {

// Splits the pid file's path; a caller in another root has its absolute paths looked up below that
// root.
absl::Status LocatePidFile(const ProcTask& caller, PreparedCreate* prepared) {
  std::string path = prepared->intent.pid_file;
  if (path.empty()) return absl::OkStatus();
  const size_t slash = path.rfind('/');
  prepared->pid_basename = slash == std::string::npos ? path : path.substr(slash + 1);
  prepared->pid_directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  if (path[0] == '/') {
    ROSTER_ASSIGN_OR_RETURN(prepared->pid_base, caller.OpenRoot());
    // "/x/" relative to the root's descriptor.
    prepared->pid_directory = absl::StrCat(".", prepared->pid_directory);
  } else {
    ROSTER_ASSIGN_OR_RETURN(prepared->pid_base, caller.OpenCwd());
  }
  return absl::OkStatus();
}

// Asked before anything of the caller is read: its memory may lie in a file whose file system does
// not answer, and its words may name another's container.
absl::Status CheckIsRoots(const ProcTask& caller) {
  ROSTER_ASSIGN_OR_RETURN(const uid_t uid, caller.RealUid());
  if (uid == 0) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrCat("a runtime of uid ", uid, ": only root's containers are entered"));
}

absl::StatusOr<ResolvedExec> PrepareCreate(const ProcTask& caller, CreateIntent intent) {
  PreparedCreate prepared;
  ROSTER_ASSIGN_OR_RETURN(Bundle bundle, ReadBundle(caller, intent.bundle, intent.config));
  Container& container = prepared.container;
  container.runtime.container_id = intent.id;
  container.oci_runtime = intent.runtime;
  container.bundle = bundle.path;
  container.oci_config = bundle.config_text;
  prepared.spec = std::move(bundle.spec);
  prepared.sandbox = FillFromSpec(prepared.spec, &container) == ContainerKind::kSandbox;
  prepared.intent = std::move(intent);
  ROSTER_RETURN_IF_ERROR(LocatePidFile(caller, &prepared));
  return ResolvedExec(std::move(prepared));
}

}  // namespace

absl::StatusOr<ResolvedExec> ResolveExec(
    pid_t tid, std::string_view exe_basename, const HeldCalls* calls,
    absl::FunctionRef<bool(const std::string& id)> is_prepared) {
  ROSTER_ASSIGN_OR_RETURN(const ProcTask caller, ProcTask::Open(tid));
  ROSTER_RETURN_IF_ERROR(CheckIsRoots(caller));
  ROSTER_ASSIGN_OR_RETURN(const HeldExec exec, ReadHeldExec(tid, calls));
  ROSTER_ASSIGN_OR_RETURN(Intent intent, ParseCommandLine(exe_basename, exec.argv));
  if (auto* create = std::get_if<CreateIntent>(&intent)) {
    if (is_prepared(create->id)) return ResolvedExec();
    return PrepareCreate(caller, std::move(*create));
  }
  if (auto* join = std::get_if<JoinIntent>(&intent)) return ResolvedExec(std::move(*join));
  if (auto* conmon = std::get_if<ConmonIntent>(&intent)) return ResolvedExec(std::move(*conmon));
  return ResolvedExec();
}

}  // namespace roster

// roster-engines starts containers with any of the engines, each with state of its own below
// one directory.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "engines/engine.h"
#include "engines/image.h"
#include "engines/workspace.h"
#include "kernel/errors.h"

namespace roster::testing {
namespace {

constexpr char kUsage[] =
    "usage: roster-engines start DIR [ENGINE...]               start daemons, load the image\n"
    "       roster-engines run DIR ENGINE NAME [--] ARG...     start a container, print its id\n"
    "       roster-engines create DIR ENGINE NAME [--] ARG...  create one\n"
    "       roster-engines start-created DIR ENGINE NAME\n"
    "       roster-engines exec DIR ENGINE NAME [--] ARG...\n"
    "       roster-engines kill DIR ENGINE NAME SIGNAL\n"
    "       roster-engines remove DIR ENGINE NAME\n"
    "       roster-engines pid DIR ENGINE NAME\n"
    "       roster-engines list DIR                            ENGINE NAME, one a line\n"
    "       roster-engines stop DIR                            remove everything, DIR included\n"
    "       roster-engines guard DIR                           stop DIR once stdin ends\n"
    "ENGINE is one of runc, crun, containerd, docker, podman; youki and runsc where they were "
    "fetched.\n";

std::vector<EngineKind> EveryKind() {
  std::vector<EngineKind> kinds(std::begin(kAllEngines), std::end(kAllEngines));
  kinds.insert(kinds.end(), std::begin(kFetchedRuntimes), std::end(kFetchedRuntimes));
  return kinds;
}

absl::Status StartAll(const Workspace& workspace, const std::vector<std::string>& names) {
  for (EngineKind kind : EveryKind()) {
    if (!names.empty() && std::find(names.begin(), names.end(), EngineName(kind)) == names.end())
      continue;
    if (names.empty() && !IsInstalled(kind)) {
      if (std::count(std::begin(kFetchedRuntimes), std::end(kFetchedRuntimes), kind) != 0) continue;
      absl::FPrintF(stderr, "roster-engines: %s is not installed\n", EngineName(kind));
      continue;
    }
    std::unique_ptr<Engine> engine = MakeEngine(kind, workspace);
    ROSTER_RETURN_IF_ERROR(engine->Start());
    absl::PrintF("%-10s %s\n", engine->Name(), engine->CommandPrefix());
  }
  return absl::OkStatus();
}

absl::Status ListAll(const Workspace& workspace) {
  for (EngineKind kind : EveryKind()) {
    std::unique_ptr<Engine> engine = MakeEngine(kind, workspace);
    absl::StatusOr<std::vector<std::string>> names = engine->ListOwn();
    if (!names.ok()) continue;  // not started
    for (const std::string& name : *names) absl::PrintF("%s %s\n", engine->Name(), name);
  }
  return absl::OkStatus();
}

absl::Status StopAll(const std::string& directory) {
  absl::StatusOr<std::unique_ptr<Workspace>> workspace = Workspace::Open(directory);
  if (workspace.ok()) {
    // Politely first: an engine undoes what it did outside its directories.
    for (EngineKind kind : EveryKind()) {
      absl::Status stopped = MakeEngine(kind, **workspace)->Stop();
      if (!stopped.ok())
        absl::FPrintF(stderr, "roster-engines: %s\n", std::string(stopped.message()));
    }
  }
  return Sweep(workspace.ok() ? (*workspace)->directory() : directory);
}

absl::Status Guard(const std::string& directory) {
  char ignored[64];
  while (::read(0, ignored, sizeof(ignored)) > 0) {
  }
  return Sweep(directory);
}

absl::Status OfContainer(const std::string& verb, Engine* engine, const std::string& name,
                         const std::vector<std::string>& rest) {
  if (verb == "run" || verb == "create") {
    ROSTER_RETURN_IF_ERROR(engine->Start());
    ROSTER_ASSIGN_OR_RETURN(
        std::string id, verb == "run" ? engine->Run({name, rest}) : engine->Create({name, rest}));
    absl::PrintF("%s\n", id);
    return absl::OkStatus();
  }
  if (verb == "start-created") return engine->StartCreated(name);
  if (verb == "remove") return engine->Remove(name);
  if (verb == "kill" && rest.size() == 1) {
    int signal = 0;
    if (!absl::SimpleAtoi(rest[0], &signal) || signal < 1 || signal >= NSIG) {
      return absl::InvalidArgumentError(
          absl::StrCat("signal \"", rest[0], "\": is no number from 1 to ", NSIG - 1));
    }
    return engine->Kill(name, signal);
  }
  if (verb == "pid") {
    ROSTER_ASSIGN_OR_RETURN(pid_t pid, engine->Pid(name));
    absl::PrintF("%d\n", pid);
    return absl::OkStatus();
  }
  if (verb == "exec") {
    ROSTER_ASSIGN_OR_RETURN(int code, engine->Exec(name, rest));
    return code == 0 ? absl::OkStatus() : absl::UnknownError(absl::StrCat("exit code ", code));
  }
  return absl::InvalidArgumentError(kUsage);
}

absl::Status Main(std::vector<std::string> words) {
  if (words.size() < 2) return absl::InvalidArgumentError(kUsage);
  const std::string verb = words[0];
  if (verb == "stop") return StopAll(words[1]);
  if (verb == "guard") return Guard(words[1]);
  ROSTER_ASSIGN_OR_RETURN(std::unique_ptr<Workspace> workspace, Workspace::Open(words[1]));
  if (verb == "start") return StartAll(*workspace, {words.begin() + 2, words.end()});
  if (verb == "list") return ListAll(*workspace);
  if (words.size() < 4) return absl::InvalidArgumentError(kUsage);
  ROSTER_ASSIGN_OR_RETURN(EngineKind kind, EngineKindFromName(words[2]));
  std::vector<std::string> rest(words.begin() + 4, words.end());
  if (!rest.empty() && rest[0] == "--") rest.erase(rest.begin());
  return OfContainer(verb, MakeEngine(kind, *workspace).get(), words[3], rest);
}

}  // namespace
}  // namespace roster::testing

int main(int argc, char** argv) {
  absl::Status status = roster::testing::Main(std::vector<std::string>(argv + 1, argv + argc));
  if (status.ok()) return 0;
  absl::FPrintF(stderr, "roster-engines: %s\n", std::string(status.message()));
  return status.code() == absl::StatusCode::kInvalidArgument ? 2 : 1;
}

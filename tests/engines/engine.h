// Engine starts containers with one container engine; the one way in which tests and the demo start
// any.
//
//   auto engine = MakeEngine(EngineKind::kDocker, workspace);
//   engine->Start();                                       // its daemon, where it has one, and the
//   image auto id = engine->Run({"web", {MarkerPath(7), "wait"}});   // returns once the container
//   runs engine->Remove("web"); engine->Stop();
#ifndef ROSTER_TESTS_ENGINES_ENGINE_H_
#define ROSTER_TESTS_ENGINES_ENGINE_H_

#include <sys/types.h>

#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engines/workspace.h"

namespace roster::testing {

enum class EngineKind { kRunc, kCrun, kContainerd, kDocker, kPodman, kYouki, kRunsc };
inline constexpr EngineKind kAllEngines[] = {EngineKind::kRunc, EngineKind::kCrun,
                                             EngineKind::kContainerd, EngineKind::kDocker,
                                             EngineKind::kPodman};
// Runtimes that are tested where a script has fetched them, see fetched.h.
inline constexpr EngineKind kFetchedRuntimes[] = {EngineKind::kYouki, EngineKind::kRunsc};

struct ContainerSpec {
  std::string name;
  std::vector<std::string>
      arguments;              // of the init; the image has busybox and the markers, see image.h
  bool host_network = false;  // else a network namespace with nothing but lo
  bool host_pid = false;
};

// Thread-safe: each call runs the engine's own command line. Every call blocks until that command
// has ended.
class Engine {
 public:
  virtual ~Engine() = default;

  // "runc", "crun", "containerd", "docker", "podman", "youki", "runsc".
  virtual std::string Name() const = 0;
  // The container runtime below it: "runc" or "crun", or itself.
  virtual std::string Runtime() const = 0;

  // Brings the engine up; with an engine that another program left running in the same workspace, a
  // no-op.
  virtual absl::Status Start() = 0;
  // Removes its containers and ends its daemon. OK where it never started.
  virtual absl::Status Stop() = 0;

  // Creates and starts in one step; the container's full id as the engine knows it.
  virtual absl::StatusOr<std::string> Run(const ContainerSpec& spec) = 0;
  // The same in two steps. What Create leaves behind differs: runc and crun have an init that waits
  // for Start, the engines above them ask their runtime for nothing before StartCreated.
  virtual absl::StatusOr<std::string> Create(const ContainerSpec& spec) = 0;
  virtual absl::Status StartCreated(const std::string& name) = 0;

  // Runs a further process in a running container and waits for its end; its exit code.
  virtual absl::StatusOr<int> Exec(const std::string& name,
                                   const std::vector<std::string>& arguments) = 0;
  virtual absl::Status Kill(const std::string& name, int signal) = 0;
  // Ends it by SIGKILL if it runs, and removes it.
  virtual absl::Status Remove(const std::string& name) = 0;
  // Init's pid as this pid namespace sees it; an error where it does not run.
  virtual absl::StatusOr<pid_t> Pid(const std::string& name) = 0;
  // The names of its containers, running or not.
  virtual absl::StatusOr<std::vector<std::string>> ListOwn() = 0;

  // The command a person types to do the same by hand, in the shell's words.
  virtual std::string CommandPrefix() const = 0;
};

std::string EngineName(EngineKind kind);
// For GoogleTest's messages.
void PrintTo(EngineKind kind, std::ostream* stream);
// INVALID_ARGUMENT for a name that is none.
absl::StatusOr<EngineKind> EngineKindFromName(const std::string& name);

// `workspace` must outlive it.
std::unique_ptr<Engine> MakeEngine(EngineKind kind, const Workspace& workspace);

// Whether the programs that the engine needs are installed, or fetched.
bool IsInstalled(EngineKind kind);

}  // namespace roster::testing

#endif  // ROSTER_TESTS_ENGINES_ENGINE_H_

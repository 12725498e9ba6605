// Process is a child process that a test started; RunCommand starts one, waits for it and returns
// what it said.
//
//   absl::StatusOr<CommandResult> result = RunCommand({"runc", "--root", root, "list", "-q"});
//
// Output goes to anonymous memory, not to a pipe: a container that inherits its runtime's stdout
// can then neither block the runtime nor keep the reader waiting for an end of file.
#ifndef ROSTER_TESTS_ENGINES_COMMAND_H_
#define ROSTER_TESTS_ENGINES_COMMAND_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "kernel/fd.h"

namespace roster::testing {

struct CommandOptions {
  std::vector<std::string> environment;  // "NAME=value", on top of this process's own
  std::string directory;                 // working directory; "": this process's
  std::string log_path;      // stdout and stderr are appended there; "": see the functions
  int stdin_fd = -1;         // -1: /dev/null
  int stdout_fd = -1;        // -1: as the functions say
  bool new_session = false;  // setsid, for what must outlive a terminal
  absl::Duration timeout = absl::Seconds(60);  // RunCommand only; scaled by In()
};

struct CommandResult {
  int exit_code = 0;  // 128 + signal where a signal ended it
  std::string out;
  std::string err;
};

// Move-only. Destruction kills (SIGKILL) and reaps what still runs. Not thread-safe.
class Process {
 public:
  Process() = default;
  // NOT_FOUND where the program does not exist. Output goes to log_path, else to /dev/null.
  static absl::StatusOr<Process> Spawn(const std::vector<std::string>& arguments,
                                       const CommandOptions& options = {});
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();

  pid_t pid() const { return pid_; }
  // Readable once the process has ended; -1 where there is none.
  int pidfd() const { return pidfd_.get(); }
  bool running() const { return pidfd_.valid(); }

  absl::Status Signal(int signal) const;
  // Reaps; the exit code as CommandResult has it. DEADLINE_EXCEEDED leaves it running.
  absl::StatusOr<int> Wait(absl::Time deadline);
  // Forgets the child: it runs on, unreaped, until this process ends.
  pid_t Release();

 private:
  pid_t pid_ = -1;
  Fd pidfd_;
};

// A non-zero exit code is a result, not an error. Errors: the program cannot be started, or ran
// past the timeout (it is then killed).
absl::StatusOr<CommandResult> RunCommand(const std::vector<std::string>& arguments,
                                         const CommandOptions& options = {});

// The command's stdout without the last newline. A non-zero exit code is INTERNAL with the command
// and its stderr.
absl::StatusOr<std::string> RunForOutput(const std::vector<std::string>& arguments,
                                         const CommandOptions& options = {});

}  // namespace roster::testing

#endif  // ROSTER_TESTS_ENGINES_COMMAND_H_

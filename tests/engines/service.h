// Service is an engine's daemon: started in the background, ready once its socket accepts, ended by
// its pid.
#ifndef ROSTER_TESTS_ENGINES_SERVICE_H_
#define ROSTER_TESTS_ENGINES_SERVICE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "engines/command.h"

namespace roster::testing {

// Waits until something accepts on the unix socket `path`, which need not exist yet. `pidfd` (or
// -1) is the process that will listen there: its end is an error at once.
absl::Status WaitForSocket(const std::string& path, int pidfd, absl::Time deadline);

struct ServiceOptions {
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
  std::string socket;
  std::string pid_path;  // written here, so that another program can end it
  std::string log_path;
};

// OK as well where a service that was started earlier accepts on the socket. The error has the
// log's last lines.
absl::Status StartService(const ServiceOptions& options);

// SIGTERM, then, 20 s later, SIGKILL. OK where there is none.
absl::Status StopService(const ServiceOptions& options);

}  // namespace roster::testing

#endif  // ROSTER_TESTS_ENGINES_SERVICE_H_

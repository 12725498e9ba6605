// roster doctor: what works on this host, what does not, why, and what to do.
#include <algorithm>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/doctor/check.h"
#include "cli/flags.h"
#include "cli/output.h"

namespace roster::cli {
namespace {

constexpr char kDoctorExamples[] = R"(  roster doctor
  roster doctor -o json | jq '.[] | select(.verdict == "failure")'
)";

struct DoctorOptions {
  Paths paths;
  std::string output = "text";
};

int Doctor(const DoctorOptions& options) {
  if (options.output != "text" && options.output != "json") {
    return Finish(absl::InvalidArgumentError(
        absl::StrCat("-o \"", options.output, "\" is not known; there are text and json")));
  }
  const Checks checks = AllChecks(options.paths);
  Print(options.output == "json" ? ChecksJson(checks) : ChecksText(checks, StdoutIsColourful()));
  const bool failed = std::any_of(checks.begin(), checks.end(), [](const Check& check) {
    return check.verdict == Verdict::kFailure;
  });
  return failed ? kExitError : kExitOk;
}

}  // namespace

Command DoctorCommand() {
  const auto options = std::make_shared<DoctorOptions>();
  Command command{.name = "doctor",
                  .description = "Say what works on this host, what does not, why, and what to do",
                  .examples = kDoctorExamples,
                  .run = [options] { return Doctor(*options); }};
  command.options = {{"-o,--output", &options->output, "FORMAT", "text or json"}};
  AddSocketOption(&options->paths, &command);
  AddPinDirOption(&options->paths, &command);
  AddStateDirOption(&options->paths, &command);
  return command;
}

}  // namespace roster::cli

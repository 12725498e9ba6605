// roster doctor: what works on this host, what does not, why, and what to do.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/doctor/check.h"
#include "cli/flags.h"
#include "cli/output.h"

namespace roster::cli {
namespace {

constexpr char kExamples[] = R"(  roster doctor
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

void AddDoctor(CLI::App* app, Action* action) {
  auto options = std::make_shared<DoctorOptions>();
  CLI::App* command = AddSubcommand(
      app, "doctor", "Say what works on this host, what does not, why, and what to do", kExamples);
  command->add_option("-o,--output", options->output, "text or json")
      ->type_name("FORMAT")
      ->capture_default_str();
  AddSocketFlag(command, &options->paths);
  AddPinDirFlag(command, &options->paths);
  AddStateDirFlag(command, &options->paths);
  command->callback([options, action] { *action = [options] { return Doctor(*options); }; });
}

}  // namespace roster::cli

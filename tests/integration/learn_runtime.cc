#include "integration/learn_runtime.h"

#include <signal.h>

#include <string>

#include "absl/strings/match.h"
#include "engines/command.h"
#include "engines/image.h"
#include "engines/oci_bundle.h"
#include "engines/wait.h"
#include "kernel/errors.h"

namespace roster::testing {

absl::Status LearnRuntime(OciEngine* engine, const RosterUnderTest& roster) {
  const std::string name = "learned";
  const std::string bundle = engine->BundleOf(name);
  ROSTER_RETURN_IF_ERROR(
      WriteBundle(bundle, OciConfig({name, {MarkerPath(kMarkers - 2), "wait"}}, engine->rootfs(),
                                    engine->CgroupsPath(name))));
  CommandOptions options;
  options.environment = engine->Environment();
  ROSTER_ASSIGN_OR_RETURN(
      Process runtime,
      Process::Spawn(engine->CommandLine({"run", "--bundle", bundle, name}), options));
  Ticker ticker(absl::Milliseconds(10));
  const absl::Status learned =
      WaitUntil("the daemon to learn of the runtime", {ticker.fd()}, In(absl::Seconds(10)), [&] {
        ticker.Take();
        return absl::StrContains(roster.Log(), "runtime learned");
      });
  // It may be learned of before the container can be killed.
  ROSTER_RETURN_IF_ERROR(
      WaitUntil("the container to be killed", {ticker.fd()}, In(absl::Seconds(10)), [&] {
        ticker.Take();
        return engine->Kill(name, SIGKILL).ok();
      }));
  ROSTER_RETURN_IF_ERROR(runtime.Wait(In(absl::Seconds(10))).status());
  // Most runtimes that have waited for it have removed it.
  engine->Remove(name).IgnoreError();
  return learned;
}

}  // namespace roster::testing

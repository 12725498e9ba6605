// LearnRuntime makes a daemon know a runtime that is on no list.
#ifndef ROSTER_TESTS_INTEGRATION_LEARN_RUNTIME_H_
#define ROSTER_TESTS_INTEGRATION_LEARN_RUNTIME_H_

#include "absl/status/status.h"
#include "engines/oci_engine.h"
#include "integration/roster_under_test.h"

namespace roster::testing {

// Runs one container that is not detached, so that its runtime is seen at work, and removes it once
// the daemon has learned of the runtime.
absl::Status LearnRuntime(OciEngine* engine, const RosterUnderTest& roster);

}  // namespace roster::testing

#endif  // ROSTER_TESTS_INTEGRATION_LEARN_RUNTIME_H_

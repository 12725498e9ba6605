// The config.json of a container that runc or crun runs directly; the same as `runc spec` writes,
// without the rlimits.
#ifndef ROSTER_TESTS_ENGINES_OCI_BUNDLE_H_
#define ROSTER_TESTS_ENGINES_OCI_BUNDLE_H_

#include <string>

#include "absl/status/status.h"
#include "engines/engine.h"
#include "nlohmann/json.hpp"

namespace roster::testing {

// For a test that wants to change something before it writes the file.
nlohmann::json OciConfig(const ContainerSpec& spec, const std::string& rootfs,
                         const std::string& cgroups_path);

// Writes `config` as `bundle`/config.json, making the directory.
absl::Status WriteBundle(const std::string& bundle, const nlohmann::json& config);

}  // namespace roster::testing

#endif  // ROSTER_TESTS_ENGINES_OCI_BUNDLE_H_

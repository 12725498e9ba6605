// Containers from the daemon, or from the pins where it is away.
#ifndef ROSTER_USERSPACE_CLI_ENTRIES_H_
#define ROSTER_USERSPACE_CLI_ENTRIES_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/entry.h"
#include "roster.pb.h"

namespace roster::cli {

// Where the daemon and its pins are.
struct Paths {
  std::string socket;
  std::string pin_dir;
  std::string state_dir;
};

// Both say so on standard error where the pins answered. The errors of a selector are
// INVALID_ARGUMENT; where daemon and pins are away, the message has both reasons.
absl::StatusOr<std::vector<Entry>> ListEntries(const Paths& paths, const v1::Selector& selector,
                                               bool include_oci_config);
// NOT_FOUND for none, FAILED_PRECONDITION with the candidates for several.
absl::StatusOr<Entry> GetEntry(const Paths& paths, std::string_view id_prefix);

// The rule of GetEntry among `entries`, for the pins.
absl::StatusOr<Entry> PickByIdPrefix(std::vector<Entry> entries, std::string_view id_prefix);

}  // namespace roster::cli

#endif  // ROSTER_USERSPACE_CLI_ENTRIES_H_

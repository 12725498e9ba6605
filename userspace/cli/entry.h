// Entry is one container as the command line shows it, whether the daemon or the pins told of it.
#ifndef ROSTER_USERSPACE_CLI_ENTRY_H_
#define ROSTER_USERSPACE_CLI_ENTRY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "roster.pb.h"
#include "roster/container.h"
#include "roster/reader.h"

namespace roster::cli {

struct Entry {
  Container container;
  std::string state;       // "running", ...; "": unknown
  uint32_t flags = 0;      // ROSTER_F_*
  int64_t created_at = 0;  // nanoseconds since the epoch; 0: unknown
  std::string event;       // of this line of a watched list, as kubectl names it; else ""
};

Entry EntryFromProto(const v1::Container& proto);
// Of the record's texts what fits there: labels may be incomplete, bundle and config are missing.
Entry EntryFromMember(const Member& member);

// Whether `roster list` shows it: pods and joins are in the pins but are no containers.
bool IsListed(const Member& member);

// "namespace/pod/container" in Kubernetes, else the engine's name, else the id.
std::string DisplayName(const Entry& entry);
// When its init started, as far as known; else when Roster first knew of it; 0: unknown.
int64_t StartedAt(const Entry& entry);
// The state, or "provisional" for a running container whose name is not known yet.
std::string DisplayStatus(const Entry& entry);

}  // namespace roster::cli

#endif  // ROSTER_USERSPACE_CLI_ENTRY_H_

// MakeEngineClient turns the name of an engine into a client for it.
#ifndef ROSTER_USERSPACE_ENRICH_MAKE_CLIENT_H_
#define ROSTER_USERSPACE_ENRICH_MAKE_CLIENT_H_

#include <roster/options.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "enrich/engine_client.h"

namespace roster {

// Makes no connection: the engine need not be there. INVALID_ARGUMENT for a name or protocol that
// is not known, a socket path that is not absolute, and a timeout below 1 ms or above 1 min.
absl::StatusOr<std::unique_ptr<EngineClient>> MakeEngineClient(const RuntimeConfig& config);

// The path at which that client asks: the same for two configurations of the same engine, as far as
// paths tell. Looks at links, where they are this process's to follow.
std::string EngineSocket(const RuntimeConfig& config);

}  // namespace roster

#endif  // ROSTER_USERSPACE_ENRICH_MAKE_CLIENT_H_

// HttpGet asks a server behind a unix socket, within a deadline and a size.
#ifndef ROSTER_USERSPACE_ENRICH_UNIX_HTTP_H_
#define ROSTER_USERSPACE_ENRICH_UNIX_HTTP_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "enrich/engine_client.h"

namespace roster {

// The body of a 200 reply to GET `path` ("/containers/json?all=1", escaped already). One connection
// a call: nothing stays open, and an engine that was restarted is no special case. Blocks until
// `deadline`, and for options.timeout, at most, for the clock may be set back; UNAVAILABLE then,
// and at once when it has passed. Redirects and proxies are not followed. Errors as EngineClient
// has them, and FAILED_PRECONDITION with the engine's own words for another 4xx.
absl::StatusOr<std::string> HttpGet(const EngineClientOptions& options, absl::Time deadline,
                                    const std::string& path);

// Everything but [A-Za-z0-9_.~-] as %XX.
std::string EscapeForUrl(std::string_view text);

}  // namespace roster

#endif  // ROSTER_USERSPACE_ENRICH_UNIX_HTTP_H_

#include "enrich/podman_client.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "enrich/podman_json.h"
#include "enrich/unix_http.h"
#include "kernel/errors.h"
#include "text/quote.h"

namespace roster {
namespace {

constexpr char kApi[] = "/v4.0.0/libpod";

}  // namespace

void PodmanClient::AddDigest(absl::Time deadline, EngineContainer* container) {
  if (!container->image_digest.empty() || container->image_id.empty()) return;
  const absl::StatusOr<std::string> digest =
      digests_.Get(container->image_id, [&]() -> absl::StatusOr<std::string> {
        absl::StatusOr<std::string> reply =
            HttpGet(options_, deadline,
                    absl::StrCat(kApi, "/images/", EscapeForUrl(container->image_id), "/json"));
        if (absl::IsNotFound(reply.status())) return "";  // removed by force
        if (!reply.ok()) return reply.status();
        return ParsePodmanImageDigest(*reply);
      });
  container->image_status = digest.status();
  if (digest.ok()) container->image_digest = *digest;
}

absl::StatusOr<std::vector<EngineContainer>> PodmanClient::DoList(absl::Time deadline) {
  ROSTER_ASSIGN_OR_RETURN(
      const std::string reply,
      HttpGet(options_, deadline, absl::StrCat(kApi, "/containers/json?all=true")));
  ROSTER_ASSIGN_OR_RETURN(std::vector<EngineContainer> containers, ParsePodmanList(reply));
  for (EngineContainer& container : containers) AddDigest(deadline, &container);
  return containers;
}

absl::StatusOr<EngineContainer> PodmanClient::DoGet(std::string_view id, absl::Time deadline) {
  const std::string filters = absl::StrCat("{\"id\":[\"", EscapeForUrl(id), "\"]}");
  ROSTER_ASSIGN_OR_RETURN(
      const std::string reply,
      HttpGet(options_, deadline,
              absl::StrCat(kApi, "/containers/json?all=true&filters=", EscapeForUrl(filters))));
  ROSTER_ASSIGN_OR_RETURN(std::vector<EngineContainer> containers, ParsePodmanList(reply));
  // The filter takes prefixes and regular expressions.
  const auto found = std::find_if(containers.begin(), containers.end(),
                                  [id](const EngineContainer& c) { return c.id == id; });
  if (found == containers.end()) {
    return absl::NotFoundError(
        absl::StrCat("podman at ", options_.socket, " has no container ", QuoteForMessage(id)));
  }
  AddDigest(HalfWay(deadline), &*found);
  return std::move(*found);
}

absl::StatusOr<EngineContainer> PodmanClient::DoDetails(std::string_view id, absl::Time deadline) {
  ROSTER_ASSIGN_OR_RETURN(
      const std::string reply,
      HttpGet(options_, deadline, absl::StrCat(kApi, "/containers/", EscapeForUrl(id), "/json")));
  ROSTER_ASSIGN_OR_RETURN(EngineContainer container, ParsePodmanInspect(reply));
  if (container.id != id) {  // a name or a prefix matched
    return absl::NotFoundError(
        absl::StrCat("podman at ", options_.socket, " has no container ", QuoteForMessage(id)));
  }
  AddDigest(deadline, &container);
  return container;
}

absl::StatusOr<std::map<std::string, std::string>> PodmanClient::DoPodLabels(
    std::string_view sandbox_id, absl::Time deadline) {
  ROSTER_ASSIGN_OR_RETURN(
      const std::string reply,
      HttpGet(options_, deadline, absl::StrCat(kApi, "/pods/", EscapeForUrl(sandbox_id), "/json")));
  return ParsePodmanPodLabels(reply);
}

}  // namespace roster

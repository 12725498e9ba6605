#include "enrich/docker_client.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "enrich/cgroup_of.h"
#include "enrich/docker_json.h"
#include "enrich/unix_http.h"
#include "kernel/errors.h"
#include "text/quote.h"

namespace roster {

void DockerClient::AddDigest(absl::Time deadline, EngineContainer* container) {
  if (!container->image_digest.empty() || container->image_id.empty()) return;
  const std::string key = absl::StrCat(container->image_id, " ", container->image_name);
  const absl::StatusOr<std::string> digest =
      digests_.Get(key, [&]() -> absl::StatusOr<std::string> {
        absl::StatusOr<std::string> reply =
            HttpGet(options_, deadline,
                    absl::StrCat("/images/", EscapeForUrl(container->image_id), "/json"));
        if (absl::IsNotFound(reply.status())) return "";  // removed by force
        if (!reply.ok()) return reply.status();
        return ParseDockerImageDigest(*reply, container->image_name);
      });
  container->image_status = digest.status();
  if (digest.ok()) container->image_digest = *digest;
}

absl::StatusOr<std::vector<EngineContainer>> DockerClient::DoList(absl::Time deadline) {
  ROSTER_ASSIGN_OR_RETURN(const std::string reply,
                          HttpGet(options_, deadline, "/containers/json?all=1"));
  ROSTER_ASSIGN_OR_RETURN(std::vector<EngineContainer> containers, ParseDockerList(reply));
  std::erase_if(containers, [](const EngineContainer& c) { return c.is_sandbox; });
  for (EngineContainer& container : containers) AddDigest(deadline, &container);
  return containers;
}

absl::StatusOr<EngineContainer> DockerClient::DoGet(std::string_view id, absl::Time deadline) {
  const std::string filters = absl::StrCat("{\"id\":[\"", EscapeForUrl(id), "\"]}");
  ROSTER_ASSIGN_OR_RETURN(
      const std::string reply,
      HttpGet(options_, deadline,
              absl::StrCat("/containers/json?all=1&filters=", EscapeForUrl(filters))));
  ROSTER_ASSIGN_OR_RETURN(std::vector<EngineContainer> containers, ParseDockerList(reply));
  // The filter takes any part of an id.
  const auto found = std::find_if(containers.begin(), containers.end(),
                                  [id](const EngineContainer& c) { return c.id == id; });
  if (found == containers.end()) {
    return absl::NotFoundError(
        absl::StrCat("docker at ", options_.socket, " has no container ", QuoteForMessage(id)));
  }
  AddDigest(HalfWay(deadline), &*found);
  return std::move(*found);
}

absl::StatusOr<EngineContainer> DockerClient::DoDetails(std::string_view id, absl::Time deadline) {
  ROSTER_ASSIGN_OR_RETURN(
      const std::string reply,
      HttpGet(options_, deadline, absl::StrCat("/containers/", EscapeForUrl(id), "/json")));
  ROSTER_ASSIGN_OR_RETURN(EngineContainer container, ParseDockerInspect(reply));
  if (container.id != id) {  // a name or a prefix matched
    return absl::NotFoundError(
        absl::StrCat("docker at ", options_.socket, " has no container ", QuoteForMessage(id)));
  }
  if (container.cgroup_path.empty() && container.pid != 0) {
    container.cgroup_path = CgroupOf(container.pid, options_.proc_root);
  }
  AddDigest(deadline, &container);
  return container;
}

absl::StatusOr<std::map<std::string, std::string>> DockerClient::DoPodLabels(
    std::string_view sandbox_id, absl::Time deadline) {
  ROSTER_ASSIGN_OR_RETURN(EngineContainer sandbox, DoGet(sandbox_id, deadline));
  if (!sandbox.is_sandbox) {
    return absl::NotFoundError(absl::StrCat("docker at ", options_.socket, " has no sandbox ",
                                            QuoteForMessage(sandbox_id)));
  }
  std::map<std::string, std::string> labels = WithoutK8sLabels(std::move(sandbox.labels));
  // cri-dockerd's own, and where it keeps the annotations.
  std::erase_if(labels, [](const auto& label) {
    return label.first == "io.kubernetes.docker.type" ||
           absl::StartsWith(label.first, "annotation.");
  });
  return labels;
}

}  // namespace roster

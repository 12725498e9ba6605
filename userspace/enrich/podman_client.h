// PodmanClient asks `podman system service` through its REST interface.
#ifndef ROSTER_USERSPACE_ENRICH_PODMAN_CLIENT_H_
#define ROSTER_USERSPACE_ENRICH_PODMAN_CLIENT_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "enrich/digest_cache.h"
#include "enrich/engine_client.h"

namespace roster {

// Podman takes a container's lock for every question about it, also to list it, and holds that lock
// while it waits for conmon and the runtime: until then the answer is UNAVAILABLE after the
// timeout.
class PodmanClient : public EngineClient {
 public:
  explicit PodmanClient(EngineClientOptions options)
      : EngineClient(options.timeout), options_(std::move(options)) {}

  std::string Name() const override { return "podman"; }

 private:
  absl::StatusOr<std::vector<EngineContainer>> DoList(absl::Time deadline) override;
  absl::StatusOr<EngineContainer> DoGet(std::string_view id, absl::Time deadline) override;
  absl::StatusOr<EngineContainer> DoDetails(std::string_view id, absl::Time deadline) override;
  // `sandbox_id` is that of a podman pod.
  absl::StatusOr<std::map<std::string, std::string>> DoPodLabels(std::string_view sandbox_id,
                                                                 absl::Time deadline) override;
  void AddDigest(absl::Time deadline, EngineContainer* container);

  const EngineClientOptions options_;
  DigestCache digests_;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_ENRICH_PODMAN_CLIENT_H_

// DockerClient asks dockerd through its REST interface.
#ifndef ROSTER_USERSPACE_ENRICH_DOCKER_CLIENT_H_
#define ROSTER_USERSPACE_ENRICH_DOCKER_CLIENT_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "enrich/digest_cache.h"
#include "enrich/engine_client.h"

namespace roster {

// Get uses /containers/json, which dockerd (20.10, read) answers from its in-memory snapshot,
// without a container's lock; Details uses the container's own document, which waits for that lock.
// An image's digest is one request more, asked once per image; a failure there is the
// container's image_status.
class DockerClient : public EngineClient {
 public:
  explicit DockerClient(EngineClientOptions options)
      : EngineClient(options.timeout), options_(std::move(options)) {}

  std::string Name() const override { return "docker"; }

 private:
  absl::StatusOr<std::vector<EngineContainer>> DoList(absl::Time deadline) override;
  absl::StatusOr<EngineContainer> DoGet(std::string_view id, absl::Time deadline) override;
  absl::StatusOr<EngineContainer> DoDetails(std::string_view id, absl::Time deadline) override;
  absl::StatusOr<std::map<std::string, std::string>> DoPodLabels(std::string_view sandbox_id,
                                                                 absl::Time deadline) override;
  void AddDigest(absl::Time deadline, EngineContainer* container);

  const EngineClientOptions options_;
  DigestCache digests_;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_ENRICH_DOCKER_CLIENT_H_

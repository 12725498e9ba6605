// ContainerdClient asks containerd through its own gRPC interface.
#ifndef ROSTER_USERSPACE_ENRICH_CONTAINERD_CLIENT_H_
#define ROSTER_USERSPACE_ENRICH_CONTAINERD_CLIENT_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "enrich/digest_cache.h"
#include "enrich/engine_client.h"

namespace roster {

class GrpcChannel;

// Get reads containerd's metadata store and never asks for the task: containerd holds a lock for
// the process that is being created, perhaps while this program holds its runtime. It reports the
// state as unknown and pid 0. List and Details do ask.
//
// The name is kubelet's label, else nerdctl's, else the id. The image's id is the digest of its
// configuration, else of what its name points to. The mounts and the cgroup come from the OCI spec.
class ContainerdClient : public EngineClient {
 public:
  // `containerd_namespace` "" means all of them but "moby", whose containers are docker's.
  explicit ContainerdClient(EngineClientOptions options, std::string containerd_namespace = "");
  ~ContainerdClient() override;

  std::string Name() const override { return "containerd"; }
  absl::StatusOr<std::vector<EngineContainer>> List() override;
  absl::StatusOr<EngineContainer> Get(std::string_view id) override;
  absl::StatusOr<EngineContainer> Details(std::string_view id) override;
  absl::StatusOr<std::map<std::string, std::string>> PodLabels(
      std::string_view sandbox_id) override;

 private:
  // In the first namespace that has it.
  absl::StatusOr<EngineContainer> Find(std::string_view id, std::string* in_namespace);
  absl::StatusOr<std::vector<std::string>> Namespaces();
  absl::Status ListIn(const std::string& in_namespace, std::vector<EngineContainer>* containers);
  void AddImage(const std::string& in_namespace, EngineContainer* container);
  absl::StatusOr<std::string> ConfigDigest(const std::string& in_namespace,
                                           const std::string& digest);
  absl::StatusOr<std::string> ReadBlob(const std::string& in_namespace, const std::string& digest);

  const std::string namespace_;
  const std::unique_ptr<GrpcChannel> channel_;
  DigestCache config_digests_;  // by the digest of the manifest, which says it all
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_ENRICH_CONTAINERD_CLIENT_H_

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

 private:
  absl::StatusOr<std::vector<EngineContainer>> DoList(absl::Time deadline) override;
  absl::StatusOr<EngineContainer> DoGet(std::string_view id, absl::Time deadline) override;
  absl::StatusOr<EngineContainer> DoDetails(std::string_view id, absl::Time deadline) override;
  absl::StatusOr<std::map<std::string, std::string>> DoPodLabels(std::string_view sandbox_id,
                                                                 absl::Time deadline) override;
  // In the first namespace that has it.
  absl::StatusOr<EngineContainer> Find(std::string_view id, absl::Time deadline,
                                       std::string* in_namespace);
  absl::StatusOr<std::vector<std::string>> Namespaces(absl::Time deadline);
  absl::Status ListIn(const std::string& in_namespace, absl::Time deadline,
                      std::vector<EngineContainer>* containers);
  void AddImage(const std::string& in_namespace, absl::Time deadline, EngineContainer* container);
  absl::StatusOr<std::string> ConfigDigest(const std::string& in_namespace, absl::Time deadline,
                                           const std::string& digest);
  absl::StatusOr<std::string> ReadBlob(const std::string& in_namespace, absl::Time deadline,
                                       const std::string& digest);

  const std::string namespace_;
  const std::unique_ptr<GrpcChannel> channel_;
  DigestCache config_digests_;  // by the digest of the manifest, which says it all
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_ENRICH_CONTAINERD_CLIENT_H_

// CriClient asks CRI-O, containerd or cri-dockerd through the Kubernetes Container Runtime
// Interface, v1.
#ifndef ROSTER_USERSPACE_ENRICH_CRI_CLIENT_H_
#define ROSTER_USERSPACE_ENRICH_CRI_CLIENT_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "enrich/engine_client.h"

namespace roster {

class GrpcChannel;

// For CRI-O and docker the name is the one that they give it themselves,
// k8s_<container>_<pod>_<namespace>_<uid>_<attempt>, else CRI's. A container whose sandbox is
// missing is listed all the same. List and Get leave pid at 0.
class CriClient : public EngineClient {
 public:
  CriClient(EngineClientOptions options, std::string runtime_name);
  ~CriClient() override;

  std::string Name() const override { return runtime_name_; }

 private:
  absl::StatusOr<std::vector<EngineContainer>> DoList(absl::Time deadline) override;
  absl::StatusOr<EngineContainer> DoGet(std::string_view id, absl::Time deadline) override;
  // DATA_LOSS where a running container comes without a pid.
  absl::StatusOr<EngineContainer> DoDetails(std::string_view id, absl::Time deadline) override;
  absl::StatusOr<std::map<std::string, std::string>> DoPodLabels(std::string_view sandbox_id,
                                                                 absl::Time deadline) override;
  // Takes a sandbox of this id into `container`; NOT_FOUND where there is none.
  absl::Status FindSandbox(std::string_view id, absl::Time deadline, EngineContainer* container);

  const std::string runtime_name_;
  const std::unique_ptr<GrpcChannel> channel_;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_ENRICH_CRI_CLIENT_H_

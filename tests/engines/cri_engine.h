// CriEngine runs pods with an engine that speaks the Kubernetes Container Runtime Interface, as a
// kubelet would: containerd with its CRI plugin, or CRI-O.
#ifndef ROSTER_TESTS_ENGINES_CRI_ENGINE_H_
#define ROSTER_TESTS_ENGINES_CRI_ENGINE_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engines/service.h"
#include "engines/workspace.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace roster::testing {

// Not thread-safe but for RunContainer. `workspace` must outlive it.
class CriEngine {
 public:
  enum class Kind { kContainerd, kCrio };

  CriEngine(Kind kind, const Workspace& workspace);
  ~CriEngine();

  // CRI-O: whether scripts/fetch-crio has built it.
  static bool IsInstalled(Kind kind);

  // Brings the engine up, with the test image and one for sandboxes.
  absl::Status Start();
  // Removes its pods and ends its daemon.
  absl::Status Stop();
  // Ends the daemon alone; its containers live on.
  absl::Status StopDaemon();

  // On the node's network. Kubelet's four labels are added to `labels`; the sandbox's id.
  absl::StatusOr<std::string> RunPod(const std::string& name,
                                     std::map<std::string, std::string> labels);
  // In a pod of this engine; the container's id.
  absl::StatusOr<std::string> RunContainer(const std::string& pod, const std::string& name,
                                           const std::vector<std::string>& command);
  absl::Status RemovePod(const std::string& sandbox_id);

  const std::string& socket() const { return service_.socket; }
  // The engine's own command line: containerd's `ctr` in the plugin's namespace, CRI-O's `crio
  // status`.
  std::string CommandPrefix() const;

 private:
  struct Pods;

  absl::Status StartContainerd(const std::string& archive, const std::string& pause_archive);
  absl::Status StartCrio(const std::string& archive, const std::string& pause_archive);
  template <typename Response, typename Request>
  absl::StatusOr<Response> Call(const char* method, const Request& request);

  const Kind kind_;
  const Workspace& workspace_;
  const std::string directory_;
  ServiceOptions service_;
  std::unique_ptr<Pods> pods_;
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace roster::testing

#endif  // ROSTER_TESTS_ENGINES_CRI_ENGINE_H_

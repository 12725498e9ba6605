#include "fake_cri_engine.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <utility>

#include "absl/strings/match.h"
#include "absl/synchronization/mutex.h"
#include "cri.grpc.pb.h"

namespace roster {

namespace cri = ::runtime::v1;

class FakeCriEngine::Service : public cri::RuntimeService::Service {
 public:
  explicit Service(const std::string& socket) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("unix:" + socket, grpc::InsecureServerCredentials());
    builder.SetMaxSendMessageSize(64 << 20);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~Service() override {
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
  }

  grpc::Status ListPodSandbox(grpc::ServerContext*, const cri::ListPodSandboxRequest* request,
                              cri::ListPodSandboxResponse* response) override {
    if (!absl::StartsWith("sandbox-a", request->filter().id())) return grpc::Status::OK;
    cri::PodSandbox* sandbox = response->add_items();
    sandbox->set_id("sandbox-a");
    sandbox->mutable_metadata()->set_name("pod-a");
    sandbox->mutable_metadata()->set_namespace_("ns-a");
    sandbox->mutable_metadata()->set_uid("uid-a");
    (*sandbox->mutable_labels())["app"] = "web";
    (*sandbox->mutable_labels())["io.kubernetes.pod.name"] = "pod-a";
    return grpc::Status::OK;
  }

  grpc::Status ListContainers(grpc::ServerContext*, const cri::ListContainersRequest* request,
                              cri::ListContainersResponse* response) override {
    if (absl::StartsWith("container-a", request->filter().id())) {
      Describe(response->add_containers());
      response->mutable_containers(0)->set_pod_sandbox_id("sandbox-a");
    }
    if (absl::StartsWith("container-b", request->filter().id())) {
      cri::Container* lone = response->add_containers();
      lone->set_id("container-b");
      lone->mutable_metadata()->set_name("lone");
      lone->set_pod_sandbox_id("gone");
    }
    return grpc::Status::OK;
  }

  grpc::Status ContainerStatus(grpc::ServerContext*, const cri::ContainerStatusRequest*,
                               cri::ContainerStatusResponse* response) override {
    Describe(response->mutable_status());
    response->mutable_status()->set_started_at(77);
    absl::MutexLock lock(&mutex_);
    for (const auto& [key, value] : info_) (*response->mutable_info())[key] = value;
    return grpc::Status::OK;
  }

  void SetInfo(std::map<std::string, std::string> info) {
    absl::MutexLock lock(&mutex_);
    info_ = std::move(info);
  }
  void SetState(int state) {
    absl::MutexLock lock(&mutex_);
    state_ = state;
  }

 private:
  template <typename Wire>
  void Describe(Wire* wire) {
    wire->set_id("container-a");
    wire->mutable_metadata()->set_name("web");
    wire->mutable_metadata()->set_attempt(3);
    wire->mutable_image()->set_image("registry/web:1");
    wire->set_image_ref("registry/web@sha256:d1");
    auto& labels = *wire->mutable_labels();
    labels["io.kubernetes.container.name"] = "web";
    labels["io.kubernetes.pod.name"] = "pod-a";
    labels["io.kubernetes.pod.namespace"] = "ns-a";
    labels["io.kubernetes.pod.uid"] = "uid-a";
    absl::MutexLock lock(&mutex_);
    wire->set_state(static_cast<cri::ContainerState>(state_));
  }

  absl::Mutex mutex_;
  std::map<std::string, std::string> info_ = {
      {"info", R"({"pid":1234,"runtimeSpec":{"linux":{"cgroupsPath":"/kubepods/x"},
                   "mounts":[{"source":"/src","destination":"/dst"}]}})"}};
  int state_ = cri::CONTAINER_RUNNING;
  std::unique_ptr<grpc::Server> server_;
};

FakeCriEngine::FakeCriEngine(const std::string& socket)
    : service_(std::make_unique<Service>(socket)) {}

FakeCriEngine::~FakeCriEngine() = default;

void FakeCriEngine::SetInfo(std::map<std::string, std::string> info) {
  service_->SetInfo(std::move(info));
}

void FakeCriEngine::SetState(int state) { service_->SetState(state); }

}  // namespace roster

#include "fake_containerd_engine.h"

#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <chrono>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "containerd.grpc.pb.h"
#include "containerd_content.grpc.pb.h"
#include "containerd_images.grpc.pb.h"
#include "containerd_namespaces.grpc.pb.h"
#include "containerd_tasks.grpc.pb.h"
#include "enrich/containerd_wire.h"

namespace roster {
namespace {

namespace containers_v1 = containerd::services::containers::v1;
namespace content_v1 = containerd::services::content::v1;
namespace images_v1 = containerd::services::images::v1;
namespace namespaces_v1 = containerd::services::namespaces::v1;
namespace tasks_v1 = containerd::services::tasks::v1;

constexpr char kId[] = "run";
constexpr char kSandbox[] = "pod";

grpc::Status Failure() { return {grpc::StatusCode::UNAVAILABLE, "out of order"}; }
grpc::Status NotFound() { return {grpc::StatusCode::NOT_FOUND, "not found"}; }

}  // namespace

class FakeContainerdEngine::Services {
 public:
  explicit Services(const std::string& socket) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("unix:" + socket, grpc::InsecureServerCredentials());
    for (grpc::Service* service :
         {static_cast<grpc::Service*>(&namespaces_), static_cast<grpc::Service*>(&containers_),
          static_cast<grpc::Service*>(&tasks_), static_cast<grpc::Service*>(&images_),
          static_cast<grpc::Service*>(&content_)}) {
      builder.RegisterService(service);
    }
    server_ = builder.BuildAndStart();
  }
  ~Services() {
    stopping_.Notify();
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
  }

  void SetFaults(const FakeContainerdFaults& faults) {
    absl::MutexLock lock(&mutex_);
    faults_ = faults;
  }
  int image_calls() const {
    absl::MutexLock lock(&mutex_);
    return image_calls_;
  }

 private:
  // What a slow engine does; ends early with the server.
  FakeContainerdFaults Delayed() const {
    FakeContainerdFaults faults;
    {
      absl::MutexLock lock(&mutex_);
      faults = faults_;
    }
    stopping_.WaitForNotificationWithTimeout(faults.each_call);
    return faults;
  }
  FakeContainerdFaults CountedAndDelayed() {
    {
      absl::MutexLock lock(&mutex_);
      ++image_calls_;
    }
    return Delayed();
  }

  struct Namespaces : namespaces_v1::Namespaces::Service {
    explicit Namespaces(Services* all) : all(all) {}
    grpc::Status List(grpc::ServerContext*, const namespaces_v1::ListNamespacesRequest*,
                      namespaces_v1::ListNamespacesResponse* response) override {
      all->Delayed();
      response->add_namespaces()->set_name("default");
      return grpc::Status::OK;
    }
    Services* all;
  };

  struct Containers : containers_v1::Containers::Service {
    explicit Containers(Services* all) : all(all) {}
    static void Describe(containers_v1::Container* container) {
      container->set_id(kId);
      container->set_image("image:1");
    }
    grpc::Status Get(grpc::ServerContext*, const containers_v1::GetContainerRequest* request,
                     containers_v1::GetContainerResponse* response) override {
      all->Delayed();
      if (request->id() == kSandbox) {
        containers_v1::Container* sandbox = response->mutable_container();
        sandbox->set_id(kSandbox);
        (*sandbox->mutable_labels())[kContainerdKindLabel] = "sandbox";
        (*sandbox->mutable_labels())["app"] = "web";
        return grpc::Status::OK;
      }
      if (request->id() != kId) return NotFound();
      Describe(response->mutable_container());
      return grpc::Status::OK;
    }
    grpc::Status List(grpc::ServerContext*, const containers_v1::ListContainersRequest*,
                      containers_v1::ListContainersResponse* response) override {
      all->Delayed();
      Describe(response->add_containers());
      return grpc::Status::OK;
    }
    Services* all;
  };

  struct Tasks : tasks_v1::Tasks::Service {
    explicit Tasks(Services* all) : all(all) {}
    static void Describe(tasks_v1::Process* process) {
      process->set_id(kId);
      process->set_pid(static_cast<uint32_t>(getpid()));
      process->set_status(tasks_v1::RUNNING);
    }
    grpc::Status Get(grpc::ServerContext*, const tasks_v1::GetRequest* request,
                     tasks_v1::GetResponse* response) override {
      if (all->Delayed().tasks) return Failure();
      if (request->container_id() != kId) return NotFound();
      Describe(response->mutable_process());
      return grpc::Status::OK;
    }
    grpc::Status List(grpc::ServerContext*, const tasks_v1::ListTasksRequest*,
                      tasks_v1::ListTasksResponse* response) override {
      if (all->Delayed().tasks) return Failure();
      Describe(response->add_tasks());
      return grpc::Status::OK;
    }
    Services* all;
  };

  struct Images : images_v1::Images::Service {
    explicit Images(Services* all) : all(all) {}
    grpc::Status Get(grpc::ServerContext*, const images_v1::GetImageRequest*,
                     images_v1::GetImageResponse* response) override {
      const FakeContainerdFaults faults = all->CountedAndDelayed();
      if (faults.images_hang) all->stopping_.WaitForNotification();
      if (faults.images) return Failure();
      response->mutable_image()->mutable_target()->set_digest("sha256:target");
      return grpc::Status::OK;
    }
    Services* all;
  };

  struct Content : content_v1::Content::Service {
    explicit Content(Services* all) : all(all) {}
    grpc::Status Read(grpc::ServerContext*, const content_v1::ReadContentRequest*,
                      grpc::ServerWriter<content_v1::ReadContentResponse>* writer) override {
      if (all->CountedAndDelayed().content) return Failure();
      content_v1::ReadContentResponse part;
      part.set_data(R"({"config":{"digest":"sha256:config"}})");
      writer->Write(part);
      return grpc::Status::OK;
    }
    Services* all;
  };

  absl::Notification stopping_;
  mutable absl::Mutex mutex_;
  FakeContainerdFaults faults_ ABSL_GUARDED_BY(mutex_);
  int image_calls_ ABSL_GUARDED_BY(mutex_) = 0;
  Namespaces namespaces_{this};
  Containers containers_{this};
  Tasks tasks_{this};
  Images images_{this};
  Content content_{this};
  std::unique_ptr<grpc::Server> server_;  // last: it uses the above
};

FakeContainerdEngine::FakeContainerdEngine(const std::string& socket)
    : services_(std::make_unique<Services>(socket)) {}

FakeContainerdEngine::~FakeContainerdEngine() = default;

void FakeContainerdEngine::SetFaults(const FakeContainerdFaults& faults) {
  services_->SetFaults(faults);
}

int FakeContainerdEngine::image_calls() const { return services_->image_calls(); }

}  // namespace roster

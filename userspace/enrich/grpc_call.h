// GrpcChannel makes calls to a gRPC server behind a unix socket.
//
//   channel.Call<Containers>(&Containers::Stub::Get, request, "containers/Get", "k8s.io");
#ifndef ROSTER_USERSPACE_ENRICH_GRPC_CALL_H_
#define ROSTER_USERSPACE_ENRICH_GRPC_CALL_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "enrich/engine_client.h"
#include "kernel/mutex.h"

namespace roster {

// Thread-safe. Connects at the first call; after a failure the next call tries anew at once, for
// gRPC's own back-off would leave an engine that has just restarted unasked for seconds.
class GrpcChannel {
 public:
  explicit GrpcChannel(EngineClientOptions options) : options_(std::move(options)) {}

  // One call, answered by `deadline` and within options.timeout, for the clock may be set back;
  // `containerd_namespace` goes into containerd's header unless
  // "". Errors as EngineClient has them; `what` is for their messages.
  template <typename Service, typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (Service::Stub::*method)(grpc::ClientContext*,
                                                                      const Request&, Response*),
                                const Request& request, absl::Time deadline, std::string_view what,
                                std::string_view containerd_namespace = "") {
    auto stub = Service::NewStub(Connected());
    grpc::ClientContext context;
    Prepare(&context, deadline, containerd_namespace);
    Response response;
    const grpc::Status status = ((*stub).*method)(&context, request, &response);
    if (!status.ok()) return ToStatus(status, what);
    return response;
  }

  // For calls that stream.
  std::shared_ptr<grpc::Channel> Connected();
  void Prepare(grpc::ClientContext* context, absl::Time deadline,
               std::string_view containerd_namespace) const;
  absl::Status ToStatus(const grpc::Status& status, std::string_view what) const;

 private:
  const EngineClientOptions options_;
  Mutex mutex_;
  std::shared_ptr<grpc::Channel> channel_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_ENRICH_GRPC_CALL_H_

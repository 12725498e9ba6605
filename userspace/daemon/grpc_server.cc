#include "daemon/grpc_server.h"

#include <grpcpp/resource_quota.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/server_posix.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "kernel/errors.h"
#include "log/log.h"

namespace roster {

GrpcServer::GrpcServer(UnixListener listener, ContainerSource* source, ServiceOptions options)
    : listener_(std::move(listener)), service_(source, std::move(options)) {}

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(const std::string& socket,
                                                              ContainerSource* source,
                                                              ServiceOptions options) {
  ROSTER_ASSIGN_OR_RETURN(UnixListener listener, UnixListener::Listen(socket));
  return Start(std::move(listener), source, std::move(options));
}

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(UnixListener listener,
                                                              ContainerSource* source,
                                                              ServiceOptions options) {
  std::unique_ptr<GrpcServer> server(
      new GrpcServer(std::move(listener), source, std::move(options)));
  ROSTER_RETURN_IF_ERROR(server->Run());
  return server;
}

absl::Status GrpcServer::Run() {
  stop_.Reset(eventfd(0, EFD_CLOEXEC));
  if (!stop_.valid()) return ErrnoStatus("make eventfd for socket", listener_.path(), errno);
  grpc::ServerBuilder builder;
  builder.RegisterService(&service_);
  builder.SetMaxReceiveMessageSize(1 << 20);  // requests are small
  builder.SetMaxSendMessageSize(-1);
  // A client that was stopped or lost is found by pings, so that its calls do not stay for ever.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.SetResourceQuota(grpc::ResourceQuota("roster").SetMaxThreads(8));
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) return absl::InternalError("start gRPC server: refused by gRPC");
  accepting_ = std::thread([this] { AcceptUntilStopped(); });
  return absl::OkStatus();
}

GrpcServer::~GrpcServer() {
  if (accepting_.joinable()) {
    eventfd_write(stop_.get(), 1);
    accepting_.join();
  }
  if (server_ != nullptr) {
    service_.EndWatches();
    server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
    server_->Wait();
  }
}

void GrpcServer::AcceptUntilStopped() {
  for (;;) {
    pollfd fds[] = {{.fd = stop_.get(), .events = POLLIN, .revents = 0},
                    {.fd = listener_.fd(), .events = POLLIN, .revents = 0}};
    if (poll(fds, 2, -1) < 0) {
      if (errno == EINTR) continue;
      LogError("no further client is accepted",
               {{"error", ErrnoStatus("poll socket", listener_.path(), errno)}});
      return;
    }
    if (fds[0].revents != 0) return;
    absl::StatusOr<Fd> connection = listener_.Accept();
    if (connection.ok()) {
      grpc::AddInsecureChannelFromFd(server_.get(), connection->Release());
    } else if (!absl::IsUnavailable(connection.status())) {
      LogSparsely("accept", LogLevel::kWarning, "a client was refused",
                  {{"error", connection.status()}});
    }
  }
}

}  // namespace roster

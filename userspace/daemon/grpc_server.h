// GrpcServer serves roster.v1 on a unix socket.
#ifndef ROSTER_USERSPACE_DAEMON_GRPC_SERVER_H_
#define ROSTER_USERSPACE_DAEMON_GRPC_SERVER_H_

#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/container_source.h"
#include "daemon/service.h"
#include "daemon/unix_listener.h"
#include "kernel/fd.h"

namespace grpc {
class Server;
}  // namespace grpc

namespace roster {

// gRPC is given connected sockets only: its own listener would create the socket with the umask's
// mode, replace a living daemon's, and ask no peer who it is.
class GrpcServer {
 public:
  // Serves until destroyed. The errors are those of UnixListener::Listen. `source` must outlive
  // this.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(const std::string& socket,
                                                           ContainerSource* source,
                                                           ServiceOptions options);
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(UnixListener listener,
                                                           ContainerSource* source,
                                                           ServiceOptions options);
  // Takes no further connection, ends watches (UNAVAILABLE), lets other calls finish for a second,
  // removes the socket.
  ~GrpcServer();

  const RosterService& service() const { return service_; }

 private:
  GrpcServer(UnixListener listener, ContainerSource* source, ServiceOptions options);
  absl::Status Run();
  void AcceptUntilStopped();

  UnixListener listener_;
  RosterService service_;
  std::unique_ptr<grpc::Server> server_;
  Fd stop_;
  std::thread accepting_;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_DAEMON_GRPC_SERVER_H_

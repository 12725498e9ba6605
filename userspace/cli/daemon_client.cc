#include "cli/daemon_client.h"

#include <fcntl.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel_posix.h>
#include <grpcpp/support/channel_arguments.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/convert.h"
#include "kernel/errors.h"
#include "kernel/fd.h"
#include "text/utf8.h"

namespace roster::cli {
namespace {

// The daemon answers in milliseconds or is stuck.
constexpr std::chrono::seconds kCallDeadline(3);

absl::StatusOr<Fd> ConnectTo(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "socket \"", path, "\": the path must have 1 to ", sizeof(address.sun_path) - 1, " bytes"));
  }
  memcpy(address.sun_path, path.data(), path.size());
  Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return ErrnoStatus("make socket for", path, errno);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR) {
      return absl::UnavailableError(absl::StrCat("socket ", path, ": no daemon listens there"));
    }
    return ErrnoStatus("connect to socket", path, errno);
  }
  ucred peer = {};
  socklen_t length = sizeof(peer);
  if (getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) {
    return ErrnoStatus("read peer of socket", path, errno);
  }
  if (peer.uid != 0 && peer.uid != geteuid()) {
    return absl::FailedPreconditionError(
        absl::StrCat("socket ", path, ": user ", peer.uid, " listens there, not root"));
  }
  fcntl(fd.get(), F_SETFL, O_NONBLOCK);
  return fd;
}

void SetDeadline(grpc::ClientContext* context) {
  context->set_deadline(std::chrono::system_clock::now() + kCallDeadline);
}

}  // namespace

absl::StatusOr<DaemonClient> DaemonClient::Connect(const std::string& socket) {
  ROSTER_ASSIGN_OR_RETURN(Fd fd, ConnectTo(socket));
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return DaemonClient(v1::Roster::NewStub(
      grpc::CreateCustomInsecureChannelFromFd("roster", fd.Release(), arguments)));
}

absl::StatusOr<std::vector<Entry>> DaemonClient::List(const v1::Selector& selector,
                                                      bool include_oci_config) {
  grpc::ClientContext context;
  SetDeadline(&context);
  v1::ListRequest request;
  *request.mutable_selector() = selector;
  request.set_include_oci_config(include_oci_config);
  v1::ListResponse response;
  ROSTER_RETURN_IF_ERROR(FromGrpc(stub_->List(&context, request, &response)));
  std::vector<Entry> entries;
  entries.reserve(static_cast<size_t>(response.containers_size()));
  for (const v1::Container& container : response.containers())
    entries.push_back(EntryFromProto(container));
  return entries;
}

absl::StatusOr<Entry> DaemonClient::Get(std::string_view id_prefix) {
  grpc::ClientContext context;
  SetDeadline(&context);
  v1::GetRequest request;
  request.set_id_prefix(ToValidUtf8(id_prefix));
  v1::Container response;
  ROSTER_RETURN_IF_ERROR(FromGrpc(stub_->Get(&context, request, &response)));
  return EntryFromProto(response);
}

absl::StatusOr<v1::HealthResponse> DaemonClient::Health() {
  grpc::ClientContext context;
  SetDeadline(&context);
  v1::HealthResponse response;
  ROSTER_RETURN_IF_ERROR(FromGrpc(stub_->Health(&context, {}, &response)));
  return response;
}

absl::Status DaemonClient::Watch(const v1::WatchRequest& request,
                                 const std::function<bool()>& on_subscribed,
                                 const std::function<bool(const v1::Event&)>& on_event) {
  grpc::ClientContext context;
  const auto stream = stub_->Watch(&context, request);
  stream->WaitForInitialMetadata();
  bool go_on = on_subscribed();
  v1::Event event;
  while (go_on && stream->Read(&event)) go_on = on_event(event);
  if (go_on) return FromGrpc(stream->Finish());
  context.TryCancel();
  (void)stream->Finish();
  return absl::OkStatus();
}

void WaitForDaemon(const std::string& socket) {
  const size_t slash = socket.rfind('/');
  const Fd notify(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  const std::string directory = slash == std::string::npos ? "." : socket.substr(0, slash + 1);
  inotify_add_watch(notify.get(), directory.c_str(), IN_CREATE | IN_MOVED_TO);
  // The socket appears a moment before somebody listens on it, and the directory itself may be
  // missing: so try again soon after an event, and now and then without one.
  int timeout_ms = 1000;
  while (!ConnectTo(socket).ok()) {
    pollfd wait = {.fd = notify.get(), .events = POLLIN, .revents = 0};
    char events[4096];
    if (poll(&wait, 1, timeout_ms) > 0) {
      (void)!read(notify.get(), events, sizeof(events));
      timeout_ms = 20;
    } else {
      timeout_ms = 1000;
    }
  }
}

}  // namespace roster::cli

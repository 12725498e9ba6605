#include "enrich/grpc_call.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "enrich/unix_http.h"
#include "text/quote.h"
#include "text/string_view.h"

namespace roster {
namespace {

// gRPC reads its target as a URI.
std::string TargetOf(const std::string& socket) {
  std::string target = "unix:";
  for (const char c : socket) {
    if (c == '/') {
      target += c;
    } else {
      target += EscapeForUrl(std::string_view(&c, 1));
    }
  }
  return target;
}

}  // namespace

std::shared_ptr<grpc::Channel> GrpcChannel::Connected() {
  MutexLock lock(&mutex_);
  if (channel_ != nullptr) {
    const grpc_connectivity_state state = channel_->GetState(/*try_to_connect=*/false);
    if (state != GRPC_CHANNEL_TRANSIENT_FAILURE && state != GRPC_CHANNEL_SHUTDOWN) return channel_;
  }
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(
      static_cast<int>(std::min<size_t>(options_.max_reply_bytes, INT32_MAX)));
  // Go's server refuses the socket's path as an authority.
  arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "localhost");
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL,
                   1);  // else a new channel inherits the back-off
  channel_ = grpc::CreateCustomChannel(TargetOf(options_.socket),
                                       grpc::InsecureChannelCredentials(), arguments);
  return channel_;
}

void GrpcChannel::Prepare(grpc::ClientContext* context, absl::Time deadline,
                          std::string_view containerd_namespace) const {
  context->set_deadline(absl::ToChronoTime(std::min(deadline, absl::Now() + options_.timeout)));
  if (!containerd_namespace.empty()) {
    context->AddMetadata("containerd-namespace", std::string(containerd_namespace));
  }
}

absl::Status GrpcChannel::ToStatus(const grpc::Status& status, std::string_view what) const {
  const std::string message = absl::StrCat(ToAbsl(what), " at ", options_.socket, ": ",
                                           QuoteForMessage(status.error_message(), 200));
  switch (status.error_code()) {
    case grpc::StatusCode::NOT_FOUND:
      return absl::NotFoundError(message);
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::UNKNOWN:  // an error in Go that its server gave no code
      return absl::UnavailableError(message);
    case grpc::StatusCode::INTERNAL:
    case grpc::StatusCode::DATA_LOSS:
    case grpc::StatusCode::RESOURCE_EXHAUSTED:  // over the limit of bytes
      return absl::DataLossError(message);
    default:
      return absl::Status(static_cast<absl::StatusCode>(status.error_code()), message);
  }
}

}  // namespace roster

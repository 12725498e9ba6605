#include "daemon/service.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "daemon/convert.h"
#include "log/log.h"
#include "text/utf8.h"

namespace roster {

RosterService::RosterService(ContainerSource* source, ServiceOptions options)
    : source_(*source), options_(std::move(options)), started_at_ns_(absl::GetCurrentTimeNanos()) {}

grpc::ServerUnaryReactor* RosterService::List(grpc::CallbackServerContext* context,
                                              const v1::ListRequest* request,
                                              v1::ListResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const auto containers = source_.List(FromProto(request->selector()));
  if (!containers.ok()) {
    reactor->Finish(ToGrpc(containers.status()));
    return reactor;
  }
  const WatchFilter filter(request->selector().container());
  for (const ContainerPtr& container : *containers) {
    if (!filter.Matches(*container)) continue;
    ToProto(*container, source_.Facts(container->handle), request->include_oci_config(),
            response->add_containers());
  }
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerUnaryReactor* RosterService::Get(grpc::CallbackServerContext* context,
                                             const v1::GetRequest* request,
                                             v1::Container* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const auto container = source_.GetByIdPrefix(request->id_prefix());
  if (container.ok()) ToProto(**container, source_.Facts((*container)->handle), true, response);
  reactor->Finish(ToGrpc(container.status()));
  return reactor;
}

grpc::ServerUnaryReactor* RosterService::Health(grpc::CallbackServerContext* context,
                                                const v1::HealthRequest*,
                                                v1::HealthResponse* response) {
  if (options_.problems) {
    for (const std::string& problem : options_.problems())
      response->add_problems(ToValidUtf8(problem));
  }
  response->set_status(response->problems().empty() ? v1::HealthResponse::SERVING
                                                    : v1::HealthResponse::DEGRADED);
  response->set_version(options_.version);
  response->set_node_name(ToValidUtf8(options_.node_name));
  response->set_pid(static_cast<uint32_t>(getpid()));
  response->set_started_at(started_at_ns_);
  response->set_containers(source_.Count());
  {
    absl::MutexLock lock(&mutex_);
    response->set_watchers(static_cast<uint32_t>(streams_.size()));
    response->set_watchers_too_slow(too_slow_);
  }
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerWriteReactor<v1::Event>* RosterService::Watch(grpc::CallbackServerContext* /*context*/,
                                                          const v1::WatchRequest* request) {
  WatchStream::Settings settings;
  settings.include_existing = request->include_existing();
  settings.include_precreate = request->include_precreate();
  settings.include_oci_config = request->include_oci_config();
  settings.queue_limit = options_.watch_queue_limit;
  settings.on_too_slow = [this] {
    {
      absl::MutexLock lock(&mutex_);
      ++too_slow_;
    }
    LogSparsely("watch-too-slow", LogLevel::kWarning,
                "a watch was ended because its client is too slow",
                {{"limit", options_.watch_queue_limit}});
  };
  settings.on_done = [this](WatchStream* stream) {
    absl::MutexLock lock(&mutex_);
    streams_.erase(stream);
  };
  absl::Status refused;
  WatchStream* stream = nullptr;
  {
    absl::MutexLock lock(&mutex_);
    settings.key = absl::StrCat("grpc-watch/", next_key_++);
    // gRPC owns it until OnDone, where it deletes itself: the protocol of its callback interface.
    stream = new WatchStream(&source_, WatchFilter(request->selector().container()),
                             std::move(settings));
    if (ending_) {
      refused = absl::UnavailableError("watch: the daemon stops");
    } else if (streams_.size() >= options_.max_watchers) {
      refused = absl::ResourceExhaustedError(
          absl::StrCat("watch: ", streams_.size(), " clients watch already, the limit"));
    }
    streams_.insert(stream);
  }
  if (!refused.ok()) stream->End(refused);
  stream->Start(FromProto(request->selector()));
  return stream;
}

void RosterService::EndWatches() {
  absl::MutexLock lock(&mutex_);
  ending_ = true;
  for (WatchStream* stream : streams_)
    stream->End(absl::UnavailableError("watch: the daemon stops"));
}

uint32_t RosterService::watchers() const {
  absl::MutexLock lock(&mutex_);
  return static_cast<uint32_t>(streams_.size());
}

}  // namespace roster

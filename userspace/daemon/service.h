// RosterService answers the calls of roster.v1.
#ifndef ROSTER_USERSPACE_DAEMON_SERVICE_H_
#define ROSTER_USERSPACE_DAEMON_SERVICE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"
#include "daemon/container_source.h"
#include "daemon/watch_stream.h"
#include "roster.grpc.pb.h"

namespace roster {

struct ServiceOptions {
  std::string version;
  std::string node_name;
  // One sentence for each thing that does not work; called by Health, from any thread.
  std::function<std::vector<std::string>()> problems;
  size_t watch_queue_limit = 1024;
  size_t max_watchers = 256;
};

// Thread-safe. No call blocks a thread of gRPC's for longer than the source takes.
class RosterService : public v1::Roster::CallbackService {
 public:
  // `source` must outlive this.
  RosterService(ContainerSource* source, ServiceOptions options);

  // Ends every Watch with UNAVAILABLE and refuses new ones.
  void EndWatches();
  uint32_t watchers() const;

 private:
  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* context,
                                 const v1::ListRequest* request,
                                 v1::ListResponse* response) override;
  grpc::ServerWriteReactor<v1::Event>* Watch(grpc::CallbackServerContext* context,
                                             const v1::WatchRequest* request) override;
  grpc::ServerUnaryReactor* Get(grpc::CallbackServerContext* context, const v1::GetRequest* request,
                                v1::Container* response) override;
  grpc::ServerUnaryReactor* Health(grpc::CallbackServerContext* context,
                                   const v1::HealthRequest* request,
                                   v1::HealthResponse* response) override;

  ContainerSource& source_;
  const ServiceOptions options_;
  const int64_t started_at_ns_;

  mutable absl::Mutex mutex_;
  absl::flat_hash_set<WatchStream*> streams_ ABSL_GUARDED_BY(mutex_);
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t next_key_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t too_slow_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_DAEMON_SERVICE_H_

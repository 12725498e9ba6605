// WatchStream is one Watch call: a bounded queue between the collection and a client that may be
// slow.
#ifndef ROSTER_USERSPACE_DAEMON_WATCH_STREAM_H_
#define ROSTER_USERSPACE_DAEMON_WATCH_STREAM_H_

#include <grpcpp/support/server_callback.h>

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "daemon/container_source.h"
#include "daemon/watch_filter.h"
#include "roster.pb.h"

namespace roster {

// Deletes itself when gRPC is done with it. One write is under way at a time, all others wait in
// the queue; the collection's thread only ever puts something there. When the queue is full it is
// dropped and the call ended with RESOURCE_EXHAUSTED: a client that missed events must know it.
class WatchStream : public grpc::ServerWriteReactor<v1::Event> {
 public:
  struct Settings {
    std::string key;  // of the subscription
    bool include_existing = false;
    bool include_precreate = false;
    bool include_oci_config = false;
    size_t queue_limit = 1024;
    std::function<void()> on_too_slow;
    std::function<void(WatchStream*)> on_done;  // called once, last of all
  };

  // `source` must outlive the call.
  WatchStream(ContainerSource* source, WatchFilter filter, Settings settings);
  // Subscribes. Ends the call where that fails.
  void Start(const ContainerSelector& selector);
  // Ends the call with `status` after the write under way; what is queued is dropped. Thread-safe.
  void End(const absl::Status& status);

 private:
  struct Entry {
    v1::Event::Type type;
    absl::Time time;
    ContainerPtr container;
  };

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  void OnEvent(const PubSubEvent& event);
  // Does the next thing there is to do, if one may be done now.
  void Pump();

  ContainerSource& source_;
  const WatchFilter filter_;
  const Settings settings_;

  absl::Mutex mutex_;
  bool started_ ABSL_GUARDED_BY(mutex_) = false;  // the existing ones are queued: events may follow
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);  // how the call is to end
  std::deque<Entry> existing_ ABSL_GUARDED_BY(mutex_);       // bounded by the collection
  std::deque<Entry> queue_ ABSL_GUARDED_BY(mutex_);          // bounded by queue_limit
  v1::Event current_;  // being written; touched only by who set writing_
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_DAEMON_WATCH_STREAM_H_

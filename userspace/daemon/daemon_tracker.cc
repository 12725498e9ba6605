#include "daemon/daemon_tracker.h"

#include <utility>

#include "kernel/errors.h"
#include "tracker/tracker.h"

namespace roster {
namespace {

class RunningTracker : public DaemonTracker {
 public:
  explicit RunningTracker(const DaemonOptions& options) : options_(options) {}

  absl::Status Start() override {
    std::vector<Option> options = {WithPubSub(), WithRemovedContainers()};
    if (!options_.node_name.empty()) options.push_back(WithNodeName(options_.node_name));
    ROSTER_RETURN_IF_ERROR(collection_.Initialize(std::move(options)));
    TrackerOptions tracker;
    tracker.pin_dir = options_.pin_dir;
    tracker.hold_deadline = options_.hold_deadline;
    tracker.host_mntns = options_.host_mntns;
    ROSTER_ASSIGN_OR_RETURN(tracker_, Tracker::Start(&collection_, tracker));
    return absl::OkStatus();
  }

  absl::Status Run(std::vector<LoopHandler> handlers) override {
    EventLoop& loop = tracker_->loop();
    for (const LoopHandler& handler : handlers) {
      ROSTER_RETURN_IF_ERROR(loop.Watch(handler.fd, [&loop, &handler] {
        if (!handler.on_readable()) loop.Stop();
      }));
    }
    return loop.Run();
  }

  void Stop() override {
    tracker_.reset();
    collection_.Close();
  }

  ContainerCollection& collection() override { return collection_; }

  std::vector<std::string> Problems() override {
    return tracker_ == nullptr ? std::vector<std::string>() : tracker_->Problems();
  }

 private:
  const DaemonOptions options_;
  ContainerCollection collection_;
  std::unique_ptr<Tracker> tracker_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<DaemonTracker>> MakeDaemonTracker(const DaemonOptions& options) {
  return std::make_unique<RunningTracker>(options);
}

}  // namespace roster

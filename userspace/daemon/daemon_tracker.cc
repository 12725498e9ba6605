#include "daemon/daemon_tracker.h"

#include <utility>

#include "kernel/errors.h"
#include "log/log.h"
#include "tracker/tracker.h"

namespace roster {
namespace {

class CollectionTracker : public DaemonTracker {
 public:
  explicit CollectionTracker(const DaemonOptions& options) : options_(options) {}
  ~CollectionTracker() override { Stop(); }

  absl::Status Start() override {
    std::vector<Option> options = {WithWarningHandler([](std::string_view warning) {
      LogSparsely("collection", LogLevel::kWarning, "container collection", {{"warning", warning}});
    })};
    if (!options_.node_name.empty()) options.push_back(WithNodeName(options_.node_name));
    options.push_back(WithPubSub());
    ROSTER_RETURN_IF_ERROR(collection_.Initialize(std::move(options)));
    TrackerOptions tracker;
    tracker.pin_dir = options_.pin_dir;
    tracker.hold_deadline = options_.hold_deadline;
    tracker.state_dir = options_.state_dir;
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
    const absl::Status result = loop.Run();
    for (const LoopHandler& handler : handlers) loop.Unwatch(handler.fd);
    return result;
  }

  void Stop() override {
    tracker_.reset();
    collection_.Close();
  }

  ContainerCollection& collection() override { return collection_; }
  std::vector<std::string> Problems() override { return tracker_->Problems(); }

 private:
  const DaemonOptions options_;
  ContainerCollection collection_;
  std::unique_ptr<Tracker> tracker_;  // before the collection, which it uses, is gone
};

}  // namespace

std::unique_ptr<DaemonTracker> MakeDaemonTracker(const DaemonOptions& options) {
  return std::make_unique<CollectionTracker>(options);
}

}  // namespace roster

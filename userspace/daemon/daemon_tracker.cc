#include "daemon/daemon_tracker.h"

#include <poll.h>

#include <cerrno>
#include <utility>

#include "daemon/log.h"
#include "kernel/errors.h"

namespace roster {
namespace {

// Stands here until userspace/tracker is bound: a collection that nothing is ever added to.
class EmptyTracker : public DaemonTracker {
 public:
  absl::Status Start() override {
    LogError("this build has no tracker: no container is seen");
    return collection_.Initialize(WithPubSub());
  }
  absl::Status Run(std::vector<LoopHandler> handlers) override {
    std::vector<pollfd> fds;
    for (const LoopHandler& handler : handlers)
      fds.push_back({.fd = handler.fd, .events = POLLIN, .revents = 0});
    for (;;) {
      if (poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR)
        return ErrnoStatus("poll", "event loop", errno);
      for (size_t i = 0; i < fds.size(); ++i) {
        if (fds[i].revents != 0 && !handlers[i].on_readable()) return absl::OkStatus();
      }
    }
  }
  void Stop() override { collection_.Close(); }
  ContainerCollection& collection() override { return collection_; }
  std::vector<std::string> Problems() override {
    return {"this build has no tracker: no container is seen"};
  }

 private:
  ContainerCollection collection_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<DaemonTracker>> MakeDaemonTracker(const DaemonOptions& /*options*/) {
  return std::make_unique<EmptyTracker>();
}

}  // namespace roster

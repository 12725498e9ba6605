#include "daemon/daemon_tracker.h"

#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "kernel/clock.h"
#include "kernel/errors.h"
#include "kernel/mutex.h"
#include "log/log.h"
#include "roster/options.h"
#include "tracker/event_loop.h"

namespace roster {
namespace {

// The tracker's loop turns once a second; one that has not for so long is stuck.
constexpr absl::Duration kStuck = absl::Seconds(3);

class CollectionTracker : public DaemonTracker {
 public:
  explicit CollectionTracker(const DaemonOptions& options) : options_(options) {}
  ~CollectionTracker() override { Stop(); }

  absl::Status Start() override {
    ROSTER_ASSIGN_OR_RETURN(loop_, EventLoop::Create());
    HookOptions hook;
    hook.pin_dir = options_.pin_dir;
    hook.hold_deadline = options_.hold_deadline;
    hook.state_dir = options_.state_dir;
    hook.host_mntns = options_.host_mntns;
    hook.on_problem = [this](std::string_view problem) {
      MutexLock lock(&mutex_);
      problems_.emplace_back(problem);
    };
    hook.on_turn = [this] { turned_ns_ = MonotonicNs(); };
    hook.on_stopped = [this](const absl::Status& status) {
      loop_->Post([this, status] { hook_ended_ = status; });
      loop_->Stop();
    };
    std::vector<Option> options = {WithWarningHandler([](std::string_view warning) {
      LogSparsely("collection", LogLevel::kWarning, "container collection", {{"warning", warning}});
    })};
    if (!options_.node_name.empty()) options.push_back(WithNodeName(options_.node_name));
    options.push_back(WithPubSub());
    options.push_back(WithOCIConfigEnrichment());
    options.push_back(WithContainerFanotifyEbpf(std::move(hook)));
    return collection_.Initialize(options);
  }

  absl::Status Run(std::vector<LoopHandler> handlers) override {
    for (const LoopHandler& handler : handlers) {
      ROSTER_RETURN_IF_ERROR(loop_->Watch(handler.fd, [this, &handler] {
        if (!handler.on_readable()) loop_->Stop();
      }));
    }
    absl::Status result = loop_->Run();
    for (const LoopHandler& handler : handlers) loop_->Unwatch(handler.fd);
    result.Update(hook_ended_);
    return result;
  }

  void Stop() override { collection_.Close(); }

  ContainerCollection& collection() override { return collection_; }
  std::vector<std::string> Problems() override {
    std::vector<std::string> problems;
    {
      MutexLock lock(&mutex_);
      problems = problems_;
    }
    if (!Turns()) {
      problems.push_back(
          absl::StrCat("containers are not followed: the tracker has been stuck for ",
                       absl::FormatDuration(absl::Trunc(SinceTurn(), absl::Seconds(1)))));
    }
    return problems;
  }
  bool Turns() override { return SinceTurn() < kStuck; }

 private:
  absl::Duration SinceTurn() const {
    return absl::Nanoseconds(static_cast<int64_t>(MonotonicNs() - turned_ns_));
  }

  const DaemonOptions options_;
  std::unique_ptr<EventLoop> loop_;  // the process's; the hook has one of its own
  absl::Status hook_ended_;          // the loop's
  std::atomic<uint64_t> turned_ns_ = MonotonicNs();
  Mutex mutex_;
  std::vector<std::string> problems_ ABSL_GUARDED_BY(mutex_);
  ContainerCollection collection_;  // last: what it starts uses the rest
};

}  // namespace

std::unique_ptr<DaemonTracker> MakeDaemonTracker(const DaemonOptions& options) {
  return std::make_unique<CollectionTracker>(options);
}

}  // namespace roster

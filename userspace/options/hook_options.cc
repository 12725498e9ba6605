// Options that find containers as they start and end: the daemon's way, within any program.
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "kernel/mutex.h"
#include "options/once.h"
#include "roster/collection.h"
#include "roster/options.h"
#include "tracker/tracker_thread.h"

namespace roster {
namespace {

constexpr char kEbpf[] = "WithContainerFanotifyEbpf";
constexpr char kRunc[] = "WithRuncFanotify";

// The tracker between its start and its end, for callbacks that may come at any time.
class Hook {
 public:
  absl::Status Start(ContainerCollection* collection, TrackerOptions options,
                     TrackerThread::OnStopped on_stopped,
                     std::shared_ptr<TracerCollection> tracers) {
    {
      MutexLock lock(&mutex_);
      early_.emplace();
    }
    auto started = TrackerThread::Start(collection, std::move(options), std::move(on_stopped));
    if (!started.ok()) return started.status();
    const bool is_sink = tracers != nullptr && tracers->SetSinkIfNone((*started)->sink());
    MutexLock lock(&mutex_);
    if (is_sink) tracers_ = std::move(tracers);
    tracker_ = *std::move(started);
    for (const PubSubEvent& event : *early_) tracker_->Follow(event);
    early_.reset();
    return absl::OkStatus();
  }

  void Stop() {
    std::unique_ptr<TrackerThread> tracker;
    std::shared_ptr<TracerCollection> tracers;
    {
      MutexLock lock(&mutex_);
      tracker = std::move(tracker_);
      tracers = std::move(tracers_);
    }
    // What the tracers have in the pins stays, as the containers do.
    if (tracers != nullptr) tracers->DropSink();
  }

  TracerBits TracersOf(const Container& container) {
    std::shared_ptr<TracerCollection> tracers;
    {
      MutexLock lock(&mutex_);
      tracers = tracers_;
    }
    return tracers == nullptr ? TracerBits{} : tracers->BitsOf(container);
  }

  void Follow(const PubSubEvent& event) {
    MutexLock lock(&mutex_);
    if (tracker_ != nullptr) {
      tracker_->Follow(event);
    } else if (early_) {
      early_->push_back(event);
    }
  }

 private:
  Mutex mutex_;
  // That write to the tracker's sink.
  std::shared_ptr<TracerCollection> tracers_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<TrackerThread> tracker_ ABSL_GUARDED_BY(mutex_);
  // What comes while the tracker starts, which adds the containers that run already.
  std::optional<std::vector<PubSubEvent>> early_ ABSL_GUARDED_BY(mutex_);
};

absl::Status Check(const HookOptions& options) {
  if (options.hold_deadline < absl::Milliseconds(1) || options.hold_deadline > absl::Seconds(10)) {
    return absl::InvalidArgumentError(absl::StrCat("hold deadline ",
                                                   absl::FormatDuration(options.hold_deadline),
                                                   " is not between 1ms and 10s"));
  }
  for (const std::string* path : {&options.pin_dir, &options.state_dir}) {
    if (!path->empty() && (*path)[0] != '/') {
      return absl::InvalidArgumentError(absl::StrCat(*path, " is not an absolute path"));
    }
  }
  if (options.pin_dir.empty()) return absl::InvalidArgumentError("there is no pin directory");
  return absl::OkStatus();
}

absl::Status AddHook(const HookOptions& options, bool must_hold, CollectionSetup& setup) {
  absl::Status status = Check(options);
  if (!status.ok()) return status;
  TrackerOptions tracker;
  tracker.pin_dir = options.pin_dir;
  tracker.hold_deadline = options.hold_deadline;
  tracker.host_mntns = options.host_mntns;
  tracker.host_root = options.host_root == "/" ? "" : options.host_root;
  tracker.state_dir = options.state_dir;
  tracker.runtime_paths = options.runtime_paths;
  tracker.must_hold = must_hold;
  tracker.on_problem = options.on_problem ? options.on_problem : setup.Warner();
  tracker.on_turn = options.on_turn;
  const auto hook = std::make_shared<Hook>();
  tracker.tracers_of = [hook](const Container& container) { return hook->TracersOf(container); };
  setup.AddFollower([hook](const PubSubEvent& event) { hook->Follow(event); });
  // The setup is there until the starters have run, which is when this one looks at it.
  setup.AddStarter(
      "container hook",
      [hook, tracker, ask_engines = options.ask_engines, on_stopped = options.on_stopped,
       &setup]() mutable {
        // Who names the engines to ask does so for all containers.
        tracker.ask_engines = ask_engines && !setup.IsClaimed(kNamesEngines);
        return hook->Start(&setup.collection(), tracker, on_stopped, setup.tracer_collection());
      },
      [hook] { hook->Stop(); });
  return absl::OkStatus();
}

}  // namespace

Option WithContainerFanotifyEbpf(HookOptions options) {
  return Once(kEbpf, [options = std::move(options)](CollectionSetup& setup) {
    if (setup.HasAnywhere(kRunc)) {
      return absl::InvalidArgumentError(absl::StrCat("is given beside ", kRunc));
    }
    return AddHook(options, /*must_hold=*/false, setup);
  });
}

Option WithRuncFanotify(HookOptions options) {
  return Once(kRunc, [options = std::move(options)](CollectionSetup& setup) {
    if (setup.HasAnywhere(kEbpf)) {
      return absl::InvalidArgumentError(absl::StrCat("is given beside ", kEbpf));
    }
    return AddHook(options, /*must_hold=*/true, setup);
  });
}

}  // namespace roster

// Tracker runs Roster: programs, hooks, adoption and the event loop between them.
#ifndef ROSTER_USERSPACE_TRACKER_TRACKER_H_
#define ROSTER_USERSPACE_TRACKER_TRACKER_H_

#include <roster/collection.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "enrich/enricher.h"
#include "hook/fanotify_group.h"
#include "hook/keeper.h"
#include "hook/pid_file_marks.h"
#include "hook/runtime_marks.h"
#include "kernel/held_calls.h"
#include "kernel/host.h"
#include "kernel/pins.h"
#include "kernel/programs.h"
#include "mirror/mirror.h"
#include "tracker/event_loop.h"
#include "tracker/hold_handler.h"
#include "tracker/keeper_watch.h"
#include "tracker/kernel_events.h"
#include "tracker/roll.h"

namespace roster {

struct TrackerOptions {
  std::string pin_dir = ROSTER_PIN_DIR;
  absl::Duration hold_deadline = absl::Milliseconds(100);
  uint64_t host_mntns = 0;  // 0: the caller's own
  bool ask_engines = true;
  std::string state_dir;  // where what must survive a restart is kept; "": nowhere
  // Empty: KnownRuntimePaths(), and what is seen making containers.
  std::vector<std::string> runtime_paths;
  std::string host_root;   // where files and sockets that engines name are found
  bool must_hold = false;  // an error where runtimes cannot be held
  std::function<void(std::string_view)> on_problem;  // what Problems gets, as it comes
  std::function<void()> on_turn;                     // with each heartbeat, on the loop's thread
  // Which tracers want a container that is about to be made; empty: none does. On the loop's
  // thread.
  std::function<TracerBits(const Container&)> tracers_of;
};

// Start, Watch, Run and the destructor belong to one thread.
class Tracker {
 public:
  // Loads and attaches the programs, adopts what runs, starts the hooks. `collection` is
  // initialised, or being so, and outlives the tracker. Without fanotify it goes on with the kernel
  // hook alone, and on_problem says so; without BPF it fails. ALREADY_EXISTS when another living
  // process writes to the same pins.
  static absl::StatusOr<std::unique_ptr<Tracker>> Start(ContainerCollection* collection,
                                                        const TrackerOptions& options);
  // A clean stop: the pins and the programs stay at work.
  ~Tracker();
  Tracker(const Tracker&) = delete;
  Tracker& operator=(const Tracker&) = delete;

  EventLoop& loop() { return *loop_; }
  Mirror& mirror() { return *mirror_; }

  // The collection has changed a container (a follower, see CollectionSetup): its record in the
  // pins follows. Does not block. Thread-safe.
  void Follow(const PubSubEvent& event) { roll_->Follow(event); }

 private:
  explicit Tracker(const TrackerOptions& options);
  absl::Status LoadKernelSide();
  absl::Status WatchKernelEvents();
  void OnKernelEvents();
  absl::Status StartRuntimeHook();
  void OnMarks(const std::vector<MarkedExecutable>& marked);
  void LearnRuntime(const std::string& path);
  void Adopt();
  void Beat();
  void AddProblem(std::string_view problem);

  const TrackerOptions options_;
  const PinPaths paths_;
  HostIdentity host_;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<Programs> programs_;
  std::unique_ptr<Mirror> mirror_;
  bool announced_ = false;  // as the pins' writer
  std::unique_ptr<LateEnricher> late_;
  std::unique_ptr<Roll> roll_;
  std::unique_ptr<KernelEvents> events_;
  uint64_t events_lost_ = 0;  // of which the roll knows
  std::unique_ptr<FanotifyGroup> group_;
  std::unique_ptr<Keeper> keeper_;
  KeeperWatch keeper_watch_;
  std::unique_ptr<RuntimeMarks> marks_;
  std::unique_ptr<PidFileMarks> pid_files_;
  std::unique_ptr<HeldCalls> held_calls_;
  std::unique_ptr<HoldHandler> holds_;
};

}  // namespace roster

#endif  // ROSTER_USERSPACE_TRACKER_TRACKER_H_

#include "tracker/tracker.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "kernel/errors.h"
#include "log/log.h"

namespace roster {
namespace {

constexpr absl::Duration kHeartbeat = absl::Seconds(1);

// On these the device that stat tells is not the kernel's own.
bool HasPrivateDevice(const std::string& path) {
  struct statfs fs;
  return statfs(path.c_str(), &fs) != 0 || fs.f_type == OVERLAYFS_SUPER_MAGIC ||
         fs.f_type == BTRFS_SUPER_MAGIC;
}

}  // namespace

Tracker::Tracker(const TrackerOptions& options)
    : options_(options),
      paths_(options.pin_dir),
      keeper_watch_([this](std::string_view problem) { AddProblem(problem); }) {}

absl::StatusOr<std::unique_ptr<Tracker>> Tracker::Start(ContainerCollection* collection,
                                                        const TrackerOptions& options) {
  std::unique_ptr<Tracker> tracker(new Tracker(options));
  ROSTER_ASSIGN_OR_RETURN(tracker->loop_, EventLoop::Create());
  ROSTER_RETURN_IF_ERROR(tracker->LoadKernelSide());
  if (options.ask_engines) {
    LateEnricherOptions late;
    late.sockets = DiscoverEngineSockets(options.host_root);
    late.host_root = options.host_root;
    late.host_mntns = tracker->host_.mntns;
    tracker->late_ = std::make_unique<LateEnricher>(std::move(late));
  }
  RollOptions roll;
  roll.host_root = options.host_root;
  if (!options.state_dir.empty()) roll.roots_file = options.state_dir + "/runtime-roots";
  if (options.runtime_paths.empty()) {
    roll.on_runtime = [self = tracker.get()](const std::string& path) { self->LearnRuntime(path); };
  }
  roll.tracers_of = options.tracers_of;
  tracker->roll_ = std::make_unique<Roll>(tracker->loop_.get(), tracker->mirror_.get(), collection,
                                          tracker->late_.get(), tracker->host_, std::move(roll));
  tracker->events_lost_ = tracker->mirror_->EventsLost();
  // From here every container is seen; what the kernel tells is read once the loop runs.
  ROSTER_RETURN_IF_ERROR(tracker->programs_->Attach());
  tracker->Adopt();
  ROSTER_RETURN_IF_ERROR(tracker->WatchKernelEvents());
  if (absl::Status status = tracker->StartRuntimeHook(); !status.ok()) {
    if (options.must_hold) return status;
    tracker->AddProblem(absl::StrCat("runtimes are not held, containers are named late: ",
                                     std::string(status.message())));
  }
  tracker->Beat();
  return tracker;
}

Tracker::~Tracker() {
  if (announced_) mirror_->abi().Resign();
  // The hook first, so that nothing new is held; then what uses the roll.
  holds_.reset();
  keeper_.reset();
  late_.reset();
}

absl::Status Tracker::LoadKernelSide() {
  ROSTER_RETURN_IF_ERROR(MakePinDirectories(paths_));
  ROSTER_RETURN_IF_ERROR(CheckPins(paths_));
  ROSTER_ASSIGN_OR_RETURN(host_, ReadHostIdentity(options_.host_mntns));
  ROSTER_ASSIGN_OR_RETURN(programs_, Programs::Load(paths_));
  ROSTER_ASSIGN_OR_RETURN(PinnedMaps maps, PinnedMaps::Open(paths_));
  mirror_ = std::make_unique<Mirror>(paths_, std::move(maps));
  if (const pid_t writer = mirror_->abi().LivingWriter(host_); writer != 0) {
    return absl::AlreadyExistsError(
        absl::StrCat("pin directory ", paths_.root, ": process ", writer, " writes there"));
  }
  mirror_->abi().Announce(host_, getpid());
  announced_ = true;
  return absl::OkStatus();
}

absl::Status Tracker::WatchKernelEvents() {
  ROSTER_ASSIGN_OR_RETURN(
      events_, KernelEvents::Open(mirror_->events_fd(), [this](const roster_event& event) {
        roll_->OnKernelEvent(event);
      }));
  return loop_->Watch(events_->fd(), [this] { OnKernelEvents(); });
}

void Tracker::OnKernelEvents() {
  events_->Dispatch();
  const uint64_t lost = mirror_->EventsLost();
  if (lost == events_lost_) return;
  LogSparsely("events-lost", LogLevel::kWarning,
              "messages of the kernel's programs found no room; the slots say what they were about",
              {{"messages", lost - events_lost_}});
  events_lost_ = lost;
  roll_->Reconcile();
}

absl::Status Tracker::StartRuntimeHook() {
  // Every held task would have the number 0.
  if (host_.pidns != kInitialPidNamespace) {
    return absl::FailedPreconditionError("this is not the host's pid namespace");
  }
  // Before anything is held: the kernel's verifier takes its time.
  if (absl::StatusOr<std::unique_ptr<HeldCalls>> calls = HeldCalls::Load(); calls.ok()) {
    held_calls_ = *std::move(calls);
  } else {
    LogWarning("a busy machine may delay held runtimes", {{"error", calls.status()}});
  }
  ROSTER_ASSIGN_OR_RETURN(FanotifyGroup group, FanotifyGroup::Create());
  group_ = std::make_unique<FanotifyGroup>(std::move(group));
  ROSTER_ASSIGN_OR_RETURN(keeper_,
                          Keeper::Start(group_->fd(), {.deadline = options_.hold_deadline}));
  pid_files_ = std::make_unique<PidFileMarks>(group_.get());
  const std::vector<std::string> paths =
      options_.runtime_paths.empty() ? KnownRuntimePaths() : options_.runtime_paths;
  ROSTER_ASSIGN_OR_RETURN(
      marks_, RuntimeMarks::Create(
                  group_.get(), paths,
                  [this](const std::vector<MarkedExecutable>& marked) { OnMarks(marked); }));
  holds_ = std::make_unique<HoldHandler>(loop_.get(), keeper_.get(), marks_.get(), pid_files_.get(),
                                         held_calls_.get(), mirror_.get(), roll_.get());
  ROSTER_RETURN_IF_ERROR(loop_->Watch(marks_->fd(), [this] {
    if (absl::Status status = marks_->Dispatch(); !status.ok()) {
      LogWarning("a runtime cannot be marked", {{"error", status}});
    }
  }));
  if (!marks_->status().ok()) AddProblem(std::string(marks_->status().message()));
  return loop_->Watch(keeper_->fd(), [this] {
    keeper_->Dispatch([this](const HeldEvent& event) { holds_->OnEvent(event); });
  });
}

void Tracker::OnMarks(const std::vector<MarkedExecutable>& marked) {
  std::vector<Mirror::RuntimeFile> files;
  for (const MarkedExecutable& executable : marked) {
    // conmon starts the runtime, but is none itself.
    if (executable.basename == "conmon") continue;
    files.push_back({.ino = executable.file.ino,
                     .dev = HasPrivateDevice(executable.path) ? 0 : executable.file.dev});
    LogInfo("runtime", {{"path", executable.path}});
  }
  if (absl::Status status = mirror_->SetRuntimes(files); !status.ok()) {
    LogWarning("runtimes not told to the kernel hook", {{"error", status}});
  }
}

void Tracker::LearnRuntime(const std::string& path) {
  if (marks_ == nullptr) return;
  struct stat st;
  if (stat(path.c_str(), &st) != 0) return;
  const size_t before = marks_->marked().size();
  if (absl::Status status = marks_->Learn({st.st_dev, st.st_ino}, path); !status.ok()) {
    LogWarning("runtime not learned", {{"path", path}, {"error", status}});
  } else if (marks_->marked().size() > before) {
    LogInfo("runtime learned", {{"path", path}});
  }
}

void Tracker::Beat() {
  mirror_->abi().Heartbeat();
  if (keeper_ != nullptr) keeper_watch_.Note(keeper_->Stats());
  if (options_.on_turn) options_.on_turn();
  loop_->RunAfter(kHeartbeat, [this] { Beat(); });
}

void Tracker::AddProblem(std::string_view problem) {
  if (options_.on_problem) options_.on_problem(problem);
}

}  // namespace roster

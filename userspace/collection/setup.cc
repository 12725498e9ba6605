// How a collection begins and ends.
#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "collection/core.h"
#include "kernel/clock.h"

namespace roster::collection_internal {

class Core::Setup : public CollectionSetup {
 public:
  Setup(Core& core, const std::vector<Option>& options) : core_(core), options_(options) {}

  void set_current(size_t current) { current_ = current; }

  ContainerCollection& collection() override { return core_.collection_; }
  void AddEnricher(std::string name, Enricher enricher) override {
    core_.enrichers_.push_back({std::move(name), std::move(enricher)});
  }
  void AddInitialEnricher(std::string name, Enricher enricher) override {
    core_.initial_enrichers_.push_back({std::move(name), std::move(enricher)});
  }
  void AddInitialContainers(std::string source,
                            std::function<absl::StatusOr<std::vector<Container>>()> list) override {
    core_.initial_sources_.push_back({std::move(source), std::move(list)});
  }
  std::function<absl::Status(Container)> InitialAdder() override {
    return [core = &core_](Container container) {
      return core->Add(std::move(container), /*initial=*/true);
    };
  }
  void AddStarter(std::string name, std::function<absl::Status()> start,
                  std::function<void()> stop) override {
    core_.stages_.push_back({std::move(name), std::move(start), std::move(stop)});
  }
  void AddCleanup(std::function<void()> cleanup) override {
    core_.cleanups_.push_back(std::move(cleanup));
  }
  GadgetPubSub& EnablePubSub() override {
    if (core_.pubsub_ == nullptr) core_.pubsub_ = std::make_shared<PubSubDispatcher>();
    return *core_.pubsub_;
  }
  void SetNodeName(std::string node) override { core_.node_name_ = std::move(node); }
  const std::string& node_name() const override { return core_.node_name_; }
  void SetOwnerSource(std::shared_ptr<OwnerSource> source) override {
    core_.owner_source_ = std::move(source);
  }
  void SetTracerCollection(std::shared_ptr<TracerCollection> tracers) override {
    core_.tracers_ = std::move(tracers);
    core_.followers_.insert(core_.followers_.begin(), core_.tracers_->TracerMapsUpdater());
  }
  std::shared_ptr<TracerCollection> tracer_collection() const override { return core_.tracers_; }
  void AddFollower(FuncNotify follower) override {
    core_.followers_.push_back(std::move(follower));
  }
  void KeepRemoved(absl::Duration grace) override { core_.grace_ = grace; }
  void SetWarningHandler(std::function<void(std::string_view)> handler) override {
    core_.warning_handler_ = std::move(handler);
  }
  void Warn(std::string_view message) override { core_.Warn(message); }
  std::function<void(std::string_view)> Warner() override {
    return [core = &core_](std::string_view message) { core->Warn(message); };
  }

  bool Has(std::string_view option) const override { return Among(option, current_); }
  bool HasAnywhere(std::string_view option) const override {
    return Among(option, options_.size());
  }
  bool Claim(std::string_view what) override { return claims_.emplace(what).second; }
  bool IsClaimed(std::string_view what) const override { return claims_.contains(what); }
  size_t InitialSources() const override { return core_.initial_sources_.size(); }

 private:
  bool Among(std::string_view option, size_t end) const {
    for (size_t i = 0; i < end; ++i) {
      if (options_[i].name() == option) return true;
    }
    return false;
  }

  Core& core_;
  const std::vector<Option>& options_;
  size_t current_ = 0;
  std::set<std::string, std::less<>> claims_;
};

Core::~Core() { Close(); }

void Core::Warn(std::string_view message) {
  warnings_.fetch_add(1, std::memory_order_relaxed);
  if (warning_handler_) warning_handler_(message);
}

absl::Status Core::RunOptions(const std::vector<Option>& options, Setup* setup) {
  for (size_t i = 0; i < options.size(); ++i) {
    setup->set_current(i);
    const absl::Status status = options[i].Apply(*setup);
    if (!status.ok()) {
      return absl::Status(status.code(),
                          absl::StrCat("option ", options[i].name(), ": ", status.message()));
    }
  }
  return absl::OkStatus();
}

absl::Status Core::StartStages() {
  for (const Stage& stage : stages_) {
    const absl::Status status = stage.start();
    if (!status.ok()) {
      return absl::Status(status.code(),
                          absl::StrCat("start ", stage.name, ": ", status.message()));
    }
    ++started_stages_;
  }
  return absl::OkStatus();
}

void Core::AddInitialContainers() {
  for (const InitialSource& source : initial_sources_) {
    absl::StatusOr<std::vector<Container>> containers = source.list();
    if (!containers.ok()) {
      Warn(
          absl::StrCat("initial containers of ", source.name, ": ", containers.status().message()));
      continue;
    }
    for (Container& container : *containers) {
      const absl::Status status = Add(std::move(container), /*initial=*/true);
      // The hook may have been faster, an enricher may not want it; both are as they should be.
      if (!status.ok() && !absl::IsAlreadyExists(status) && !absl::IsAborted(status)) {
        Warn(absl::StrCat("initial containers of ", source.name, ": ", status.message()));
      }
    }
  }
}

absl::Status Core::Initialize(const std::vector<Option>& options) {
  {
    MutexLock lock(&mutex_);
    if (state_ != State::kNew) {
      return absl::FailedPreconditionError(
          "initialize collection: it is initialised already, or has been closed");
    }
    state_ = State::kInitializing;
  }
  Setup setup(*this, options);
  absl::Status status = RunOptions(options, &setup);
  if (status.ok() && grace_ > absl::ZeroDuration()) {
    forgetter_ = std::thread([this] { ForgetLoop(); });
  }
  if (status.ok()) status = StartStages();
  if (status.ok()) {
    AddInitialContainers();
    MutexLock lock(&mutex_);
    ended_early_.clear();
    // Close may have come meanwhile, from another thread.
    if (state_ == State::kInitializing) state_ = State::kOpen;
    return absl::OkStatus();
  }
  {
    MutexLock lock(&mutex_);
    state_ = State::kClosing;
  }
  Undo();
  MutexLock lock(&mutex_);
  Forget();
  state_ = State::kNew;
  return status;
}

void Core::Close() {
  std::shared_ptr<PubSubDispatcher> closing;
  {
    MutexLock lock(&mutex_);
    if (AcceptsLocked()) {
      state_ = State::kClosing;
    } else if (pubsub_ == nullptr) {
      return;
    } else {
      closing = pubsub_;
    }
  }
  if (closing != nullptr) {
    // Somebody else closes it, or has, maybe from inside a callback that is still running.
    closing->Shutdown();
    return;
  }
  Undo();
  MutexLock lock(&mutex_);
  state_ = State::kClosed;
}

void Core::Undo() {
  for (; started_stages_ > 0; --started_stages_) {
    if (stages_[started_stages_ - 1].stop) stages_[started_stages_ - 1].stop();
  }
  if (pubsub_ != nullptr) pubsub_->Shutdown();
  {
    MutexLock lock(&mutex_);
    forget_.SignalAll();
  }
  if (forgetter_.joinable()) forgetter_.join();
  {
    MutexLock lock(&mutex_);
    // Enrichers lean on what the cleanups end.
    // One that closes the collection from its own thread cannot be waited for.
    const auto others = [](const PendingAdd* pending) {
      return pending->thread != std::this_thread::get_id();
    };
    while (std::any_of(pending_.begin(), pending_.end(), others)) pending_done_.Wait(&mutex_);
    for (const Link* link = store_.FirstOfAll(); link != nullptr; link = link->Next()) {
      TellFollowers(EventType::kDeleted, OwnerOf<kAll>(link)->self);
    }
    store_.Clear();
    store_.Reclaim();
    ended_early_.clear();
  }
  while (!cleanups_.empty()) {
    const std::function<void()> cleanup = std::move(cleanups_.back());
    cleanups_.pop_back();
    cleanup();
  }
}

void Core::Forget() {
  if (pubsub_ != nullptr) former_pubsubs_.push_back(std::move(pubsub_));
  pubsub_ = nullptr;
  followers_.clear();
  tracers_ = nullptr;
  stages_.clear();
  initial_sources_.clear();
  enrichers_.clear();
  initial_enrichers_.clear();
  grace_ = absl::ZeroDuration();
  owner_source_ = nullptr;
  node_name_.clear();
  warning_handler_ = nullptr;
}

void Core::ForgetLoop() {
  MutexLock lock(&mutex_);
  while (AcceptsLocked()) {
    const absl::Time now = SteadyNow();
    const absl::Time next = store_.ForgetExpired(now);
    if (next == absl::InfiniteFuture()) {
      store_.Reclaim();
      forgetter_waits_for_any_ = true;
      forget_.Wait(&mutex_);
      forgetter_waits_for_any_ = false;
    } else {
      // Several at once: look-ups check the time themselves, this only frees memory.
      forget_.WaitWithDeadline(&mutex_, std::max(next, now + grace_ / 8));
    }
  }
}

}  // namespace roster::collection_internal

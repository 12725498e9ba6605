#include "enrich/runtime_enricher.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "enrich/ask_engine.h"
#include "kernel/clock.h"
#include "kernel/errors.h"
#include "text/string_view.h"

namespace roster {
namespace {

// An engine that did not answer holds up no other add for so long.
constexpr absl::Duration kLeaveAlone = absl::Seconds(5);
// Between two tries to have an engine's list, at most: the engine may never come.
constexpr absl::Duration kListAtLeastEvery = absl::Seconds(30);

// A process of that number exists on the host.
bool IsAlive(uint32_t pid, const std::string& host_root) {
  const std::string root = host_root == "/" ? "" : host_root;
  return pid != 0 && access(absl::StrCat(root, "/proc/", pid).c_str(), F_OK) == 0;
}

}  // namespace

RuntimeEnricher::RuntimeEnricher(std::vector<Engine> engines, Surroundings surroundings)
    : engines_(std::move(engines)),
      around_(std::move(surroundings)),
      away_until_(engines_.size(), absl::InfinitePast()) {}

void RuntimeEnricher::Start() {
  LateEnricherOptions options;
  for (const Engine& engine : engines_) options.clients.push_back(engine.client);
  options.lives = [collection = around_.collection](const Container& container) {
    if (container.handle != 0)
      return collection->LookupContainerByHandle(container.handle) != nullptr;
    const std::vector<ContainerPtr> held =
        collection->GetContainers(container.runtime.container_id);
    return std::any_of(held.begin(), held.end(), [&container](const ContainerPtr& one) {
      return SameContainer(container, *one);
    });
  };
  auto late = std::make_unique<LateEnricher>(std::move(options));
  MutexLock lock(&mutex_);
  late_ = std::move(late);
}

void RuntimeEnricher::Stop() {
  std::unique_ptr<LateEnricher> late;
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.SignalAll();
    late = std::move(late_);
  }
  late.reset();
  if (lister_.joinable()) lister_.join();
}

absl::Status RuntimeEnricher::List(const Engine& engine, std::vector<Container>* containers) {
  ROSTER_ASSIGN_OR_RETURN(const auto listed, engine.client->List());
  absl::Status away;  // it does not answer about a pod, and is asked about no other
  for (const EngineContainer& short_form : listed) {
    if (short_form.state != EngineState::kRunning && short_form.state != EngineState::kPaused) {
      continue;
    }
    const auto details = engine.client->Details(short_form.id);
    if (absl::IsUnavailable(details.status())) return details.status();
    // One that has ended meanwhile, or that the engine describes badly.
    if (!details.ok() || !IsAlive(details->pid, engine.host_root)) continue;
    Container container;
    MergeEngineContainer(engine.name, *details, &container);
    MergeEngineContainer(engine.name, short_form, &container);
    if (away.ok() && !container.sandbox_id.empty()) {
      const auto labels = engine.client->PodLabels(container.sandbox_id);
      if (labels.ok()) GiveLabels(*labels, &container.k8s);
      if (absl::IsUnavailable(labels.status())) away = labels.status();
    }
    containers->push_back(std::move(container));
  }
  return away;
}

std::vector<Container> RuntimeEnricher::Initial(const Engine& engine) {
  std::vector<Container> containers;
  const absl::Status status = List(engine, &containers);
  if (!status.ok()) {
    around_.warn(absl::StrCat("initial containers of ", engine.name, ": ", status.message()));
    ListLater(engine);
  }
  return containers;
}

void RuntimeEnricher::ListLater(const Engine& engine) {
  MutexLock lock(&mutex_);
  if (stopping_) return;
  to_list_.push_back(engine);
  if (!lister_.joinable()) lister_ = std::thread([this] { ListLoop(); });
}

void RuntimeEnricher::ListLoop() {
  for (absl::Duration wait = around_.list_again;; wait = std::min(2 * wait, kListAtLeastEvery)) {
    std::vector<Engine> engines;
    {
      MutexLock lock(&mutex_);
      const absl::Time again = SteadyNow() + wait;
      while (!stopping_ && SteadyNow() < again) changed_.WaitWithDeadline(&mutex_, again);
      if (stopping_ || to_list_.empty()) return;
      engines = to_list_;
    }
    for (const Engine& engine : engines) {
      std::vector<Container> containers;
      const absl::Status status = List(engine, &containers);
      // Most are there already by now, perhaps without what their engine could not say then; or
      // another enricher drops them.
      for (const Container& container : containers) {
        const uint32_t pid = container.runtime.container_pid;
        // It may have ended while the others were asked about: nobody is told of it.
        if (!IsAlive(pid, engine.host_root)) continue;
        const absl::Status added = around_.add_initial(container);
        if (absl::IsAlreadyExists(added)) Give(container);
        // Its end may have been told just before it was added.
        if (added.ok() && !IsAlive(pid, engine.host_root)) Remove(container);
      }
      if (!status.ok()) continue;
      MutexLock lock(&mutex_);
      std::erase_if(to_list_, [&](const Engine& other) { return other.client == engine.client; });
    }
  }
}

bool RuntimeEnricher::Enrich(Container* container) {
  if (around_.hooked) return true;
  for (size_t i = 0; i < engines_.size() && NeedsEngine(*container); ++i) {
    const Engine& engine = engines_[i];
    const std::string& runtime = container->runtime.runtime_name;
    // Podman waits for its runtime with the container's lock taken.
    if (engine.name == "podman" || (IsEngineName(runtime) && runtime != engine.name)) continue;
    {
      MutexLock lock(&mutex_);
      if (away_until_[i] > SteadyNow()) continue;
    }
    const EngineAnswer answer = AskEngine(engine.client.get(), container);
    if (answer.is_sandbox) return false;
    if (!absl::IsUnavailable(answer.status)) continue;
    MutexLock lock(&mutex_);
    away_until_[i] = SteadyNow() + kLeaveAlone;
  }
  return true;
}

void RuntimeEnricher::Follow(const PubSubEvent& event) {
  if (event.type != EventType::kCreated || !NeedsEngine(*event.container)) return;
  // With the mutex held, so that Stop, which waits for the late enricher's thread, does that
  // without the collection's lock.
  MutexLock lock(&mutex_);
  if (late_ == nullptr) return;
  const absl::Status status =
      late_->Enqueue(*event.container, [this](const LateResult& result) { Late(result); });
  if (!status.ok()) around_.warn(ToStd(status.message()));
}

void RuntimeEnricher::Late(const LateResult& result) {
  if (result.is_sandbox) {
    Remove(result.container);
    return;
  }
  if (!result.status.ok() && !absl::IsNotFound(result.status)) {
    around_.warn(absl::StrCat("container ", result.container.runtime.container_id, ": ",
                              result.status.message()));
  }
  if (result.changed) Give(result.container);
}

// Below errors are ignored: the container may have ended meanwhile.

void RuntimeEnricher::Give(const Container& from) {
  around_.collection
      ->UpdateContainer(from, [&from](Container* held) { return GiveMissing(from, held); })
      .IgnoreError();
}

void RuntimeEnricher::Remove(const Container& container) {
  around_.collection->RemoveContainer(container).IgnoreError();
}

}  // namespace roster

#include "roster/tracer_collection.h"

#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "kernel/mutex.h"

namespace roster {
namespace {

constexpr size_t kMaxNameBytes = 64;

bool IsValidName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-';
         });
}

bool Has(const TracerBits& bits, int bit) { return ((bits[bit / 64] >> (bit % 64)) & 1) != 0; }
void Put(TracerBits* bits, int bit, bool value) {
  const uint64_t mask = uint64_t{1} << (bit % 64);
  (*bits)[bit / 64] = value ? (*bits)[bit / 64] | mask : (*bits)[bit / 64] & ~mask;
}

// One set map of one tracer. Containers may share a key, so keys are counted.
class CountedSet {
 public:
  explicit CountedSet(TracerSet kind) : kind_(kind) {}

  TracerSet kind() const { return kind_; }
  uint64_t KeyOf(const Container& container) const {
    return kind_ == TracerSet::kMntns ? container.mntns : container.cgroup_id;
  }

  absl::Status Add(TracerSink* sink, std::string_view tracer, uint64_t key) {
    if (key == 0) return absl::OkStatus();  // not known (yet): an update brings it
    Key& entry = keys_[key];
    ++entry.count;
    return Store(sink, tracer, key, &entry);
  }

  absl::Status Remove(TracerSink* sink, std::string_view tracer, uint64_t key) {
    const auto place = keys_.find(key);
    if (place == keys_.end()) return absl::OkStatus();
    if (--place->second.count > 0) return Store(sink, tracer, key, &place->second);
    const bool stored = place->second.stored;
    keys_.erase(place);
    if (!stored || sink == nullptr) return absl::OkStatus();
    return sink->RemoveFromSet(tracer, kind_, key);
  }

  absl::Status StoreAll(TracerSink* sink, std::string_view tracer) {
    absl::Status status;
    for (auto& [key, entry] : keys_) {
      entry.stored = false;
      status.Update(Store(sink, tracer, key, &entry));
    }
    return status;
  }

 private:
  struct Key {
    size_t count = 0;
    bool stored = false;
  };

  absl::Status Store(TracerSink* sink, std::string_view tracer, uint64_t key, Key* entry) {
    if (entry->stored || sink == nullptr) return absl::OkStatus();
    absl::Status status = sink->AddToSet(tracer, kind_, key);
    entry->stored = status.ok();
    return status;
  }

  TracerSet kind_;
  absl::flat_hash_map<uint64_t, Key> keys_;
};

struct Tracer {
  std::string name;
  ContainerSelector selector;
  CompiledSelector compiled;
  TracerOptions options;
  std::vector<CountedSet> sets;
};

struct Known {
  ContainerPtr container;
  TracerBits bits{};
};

}  // namespace

struct TracerCollection::State {
  Mutex mutex;
  TracerSink* sink = nullptr;
  std::array<std::optional<Tracer>, kMaxTracers> tracers ABSL_GUARDED_BY(mutex);
  std::map<std::string, int, std::less<>> bit_by_name ABSL_GUARDED_BY(mutex);
  absl::flat_hash_map<const Container*, Known> containers ABSL_GUARDED_BY(mutex);
  uint64_t sink_errors ABSL_GUARDED_BY(mutex) = 0;

  void Count(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    if (!status.ok()) ++sink_errors;
  }

  absl::StatusOr<int> OpenSet(std::string_view name, TracerSet kind)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  absl::Status TellEverything() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

  TracerBits Match(const Container& container) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    TracerBits bits{};
    for (const auto& [name, bit] : bit_by_name) {
      if (tracers[bit]->compiled.Matches(container)) Put(&bits, bit, true);
    }
    return bits;
  }

  void SetBits(const Known& known) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    if (sink == nullptr || known.container->handle == 0) return;
    Count(sink->SetTracerBits(known.container->handle, known.bits));
  }

  // Moves a container's keys in the sets of every tracer. nullptr: it was not, or is no longer,
  // there.
  void MoveInSets(const Known* was, const Known* is) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    for (const auto& [name, bit] : bit_by_name) {
      for (CountedSet& set : tracers[bit]->sets) {
        const bool out = was != nullptr && Has(was->bits, bit);
        const bool in = is != nullptr && Has(is->bits, bit);
        if (out && in && set.KeyOf(*was->container) == set.KeyOf(*is->container)) continue;
        // In before out: a key that stays is at no time missing.
        if (in) Count(set.Add(sink, name, set.KeyOf(*is->container)));
        if (out) Count(set.Remove(sink, name, set.KeyOf(*was->container)));
      }
    }
  }

  void OnCreated(const ContainerPtr& container) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    Known known{container, Match(*container)};
    const auto [place, fresh] = containers.emplace(container.get(), known);
    if (!fresh) return;
    SetBits(known);
    MoveInSets(nullptr, &known);
  }

  void OnDeleted(const ContainerPtr& container) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    const auto place = containers.find(container.get());
    if (place == containers.end()) return;
    const Known was = std::move(place->second);
    containers.erase(place);
    MoveInSets(&was, nullptr);
  }

  void OnUpdated(const PubSubEvent& event) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    const auto place = containers.find(event.previous.get());
    if (place == containers.end()) return;
    const Known was = std::move(place->second);
    containers.erase(place);
    const Known is{event.container, Match(*event.container)};
    containers.emplace(event.container.get(), is);
    if (is.bits != was.bits || is.container->handle != was.container->handle) SetBits(is);
    MoveInSets(&was, &is);
  }

  absl::Status Add(int bit, std::string_view name, CompiledSelector compiled,
                   const ContainerSelector& selector, TracerOptions options)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  void Remove(int bit) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
};

absl::Status TracerCollection::State::Add(int bit, std::string_view name, CompiledSelector compiled,
                                          const ContainerSelector& selector,
                                          TracerOptions options) {
  Tracer tracer{std::string(name), selector, std::move(compiled), options, {}};
  if (options.mntns_set) tracer.sets.emplace_back(TracerSet::kMntns);
  if (options.cgroup_set) tracer.sets.emplace_back(TracerSet::kCgroup);
  for (size_t i = 0; i < tracer.sets.size() && sink != nullptr; ++i) {
    absl::Status status = sink->CreateSet(name, tracer.sets[i].kind());
    if (status.ok()) continue;
    while (i-- > 0) Count(sink->RemoveSet(name, tracer.sets[i].kind()));
    ++sink_errors;
    return status;
  }
  tracers[bit] = std::move(tracer);
  bit_by_name.emplace(std::string(name), bit);
  for (auto& [container, known] : containers) {
    if (!tracers[bit]->compiled.Matches(*container)) continue;
    Put(&known.bits, bit, true);
    for (CountedSet& set : tracers[bit]->sets) Count(set.Add(sink, name, set.KeyOf(*container)));
    SetBits(known);
  }
  return absl::OkStatus();
}

void TracerCollection::State::Remove(int bit) {
  for (auto& [container, known] : containers) {
    if (!Has(known.bits, bit)) continue;
    Put(&known.bits, bit, false);
    SetBits(known);
  }
  const Tracer tracer = *std::move(tracers[bit]);
  tracers[bit].reset();
  bit_by_name.erase(tracer.name);
  if (sink == nullptr) return;
  for (const CountedSet& set : tracer.sets) Count(sink->RemoveSet(tracer.name, set.kind()));
}

TracerCollection::TracerCollection(TracerSink* sink) : state_(std::make_shared<State>()) {
  state_->sink = sink;
}

TracerCollection::~TracerCollection() { Close(); }

namespace {

absl::StatusOr<CompiledSelector> CheckTracer(std::string_view name,
                                             const ContainerSelector& selector) {
  if (!IsValidName(name)) {
    return absl::InvalidArgumentError(
        "add tracer: the name must be 1 to 64 characters of [A-Za-z0-9_-]");
  }
  absl::StatusOr<CompiledSelector> compiled = CompiledSelector::Compile(selector);
  if (!compiled.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("add tracer ", std::string(name), ": ", compiled.status().message()));
  }
  return compiled;
}

absl::Status NameInUse(std::string_view name) {
  return absl::AlreadyExistsError(
      absl::StrCat("add tracer ", std::string(name), ": there is one of that name"));
}

}  // namespace

absl::StatusOr<int> TracerCollection::AddTracer(std::string_view name,
                                                const ContainerSelector& selector,
                                                TracerOptions options) {
  absl::StatusOr<CompiledSelector> compiled = CheckTracer(name, selector);
  if (!compiled.ok()) return compiled.status();
  MutexLock lock(&state_->mutex);
  if (state_->bit_by_name.contains(name)) return NameInUse(name);
  int bit = 0;
  while (bit < kMaxTracers && state_->tracers[bit].has_value()) ++bit;
  if (bit == kMaxTracers) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "add tracer ", std::string(name), ": there are ", kMaxTracers, ", the most there can be"));
  }
  absl::Status status = state_->Add(bit, name, *std::move(compiled), selector, options);
  if (!status.ok()) return status;
  return bit;
}

absl::Status TracerCollection::AddTracerAt(int bit, std::string_view name,
                                           const ContainerSelector& selector,
                                           TracerOptions options) {
  absl::StatusOr<CompiledSelector> compiled = CheckTracer(name, selector);
  if (!compiled.ok()) return compiled.status();
  if (bit < 0 || bit >= kMaxTracers) {
    return absl::InvalidArgumentError(
        absl::StrCat("add tracer ", std::string(name), ": there is no bit ", bit));
  }
  MutexLock lock(&state_->mutex);
  if (state_->bit_by_name.contains(name)) return NameInUse(name);
  if (state_->tracers[bit].has_value()) {
    return absl::AlreadyExistsError(
        absl::StrCat("add tracer ", std::string(name), ": bit ", bit, " is taken"));
  }
  return state_->Add(bit, name, *std::move(compiled), selector, options);
}

absl::Status TracerCollection::RemoveTracer(std::string_view name) {
  MutexLock lock(&state_->mutex);
  const auto place = state_->bit_by_name.find(name);
  if (place == state_->bit_by_name.end()) {
    return absl::NotFoundError(
        absl::StrCat("remove tracer \"", std::string(name), "\": there is none of that name"));
  }
  state_->Remove(place->second);
  return absl::OkStatus();
}

bool TracerCollection::TracerExists(std::string_view name) const {
  MutexLock lock(&state_->mutex);
  return state_->bit_by_name.contains(name);
}

size_t TracerCollection::TracerCount() const {
  MutexLock lock(&state_->mutex);
  return state_->bit_by_name.size();
}

std::vector<TracerInfo> TracerCollection::Tracers() const {
  MutexLock lock(&state_->mutex);
  std::vector<TracerInfo> infos;
  for (const auto& [name, bit] : state_->bit_by_name) {
    const Tracer& tracer = *state_->tracers[bit];
    TracerInfo info{name, bit, tracer.selector, tracer.options, 0};
    for (const auto& [container, known] : state_->containers) {
      if (Has(known.bits, bit)) ++info.containers;
    }
    infos.push_back(std::move(info));
  }
  return infos;
}

std::string TracerCollection::TracerDump() const {
  std::string dump;
  for (const TracerInfo& info : Tracers()) {
    absl::StrAppend(&dump, info.name, " bit ", info.bit, ", ", info.containers, " containers\n");
    const absl::StatusOr<std::vector<ContainerPtr>> containers = TracerContainers(info.name);
    if (!containers.ok()) continue;  // removed meanwhile
    for (const ContainerPtr& c : *containers) {
      absl::StrAppend(&dump, "  ", c->runtime.container_id, " mntns ", c->mntns, " ",
                      c->k8s.namespace_name, "/", c->k8s.pod_name, "/", c->k8s.container_name,
                      "\n");
    }
  }
  return dump;
}

absl::StatusOr<std::vector<ContainerPtr>> TracerCollection::TracerContainers(
    std::string_view name) const {
  MutexLock lock(&state_->mutex);
  const auto place = state_->bit_by_name.find(name);
  if (place == state_->bit_by_name.end()) {
    return absl::NotFoundError(
        absl::StrCat("containers of tracer \"", std::string(name), "\": there is no such tracer"));
  }
  std::vector<ContainerPtr> containers;
  for (const auto& [container, known] : state_->containers) {
    if (Has(known.bits, place->second)) containers.push_back(known.container);
  }
  return containers;
}

TracerBits TracerCollection::BitsOf(const Container& container) const {
  MutexLock lock(&state_->mutex);
  return state_->Match(container);
}

uint64_t TracerCollection::SinkErrors() const {
  MutexLock lock(&state_->mutex);
  return state_->sink_errors;
}

absl::Status TracerCollection::State::TellEverything() {
  absl::Status status;
  if (sink == nullptr) return status;
  for (const auto& [name, bit] : bit_by_name) {
    for (CountedSet& set : tracers[bit]->sets) {
      status.Update(sink->CreateSet(name, set.kind()));
      status.Update(set.StoreAll(sink, name));
    }
  }
  for (const auto& [container, known] : containers) {
    if (container->handle == 0) continue;
    status.Update(sink->SetTracerBits(container->handle, known.bits));
  }
  return status;
}

absl::Status TracerCollection::Resync() {
  MutexLock lock(&state_->mutex);
  return state_->TellEverything();
}

absl::StatusOr<int> TracerSink::OpenSet(std::string_view, TracerSet) {
  return absl::UnimplementedError("this tracer sink has no maps");
}

absl::StatusOr<int> TracerCollection::State::OpenSet(std::string_view name, TracerSet kind) {
  const auto found = bit_by_name.find(name);
  if (found == bit_by_name.end()) {
    return absl::NotFoundError(absl::StrCat("no tracer ", std::string(name)));
  }
  const auto& sets = tracers[found->second]->sets;
  const bool has = std::any_of(sets.begin(), sets.end(),
                               [kind](const CountedSet& set) { return set.kind() == kind; });
  if (!has || sink == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("tracer ", std::string(name), ": ",
                     has ? "its sets are mirrored nowhere" : "was added without that set"));
  }
  return sink->OpenSet(name, kind);
}

absl::StatusOr<int> TracerCollection::TracerMountNsMap(std::string_view name) const {
  MutexLock lock(&state_->mutex);
  return state_->OpenSet(name, TracerSet::kMntns);
}

absl::StatusOr<int> TracerCollection::TracerCgroupMap(std::string_view name) const {
  MutexLock lock(&state_->mutex);
  return state_->OpenSet(name, TracerSet::kCgroup);
}

bool TracerCollection::SetSinkIfNone(TracerSink* sink) {
  MutexLock lock(&state_->mutex);
  if (state_->sink != nullptr) return false;
  state_->sink = sink;
  state_->Count(state_->TellEverything());
  return true;
}

void TracerCollection::DropSink() {
  MutexLock lock(&state_->mutex);
  state_->sink = nullptr;
}

FuncNotify TracerCollection::TracerMapsUpdater() {
  // The collection may outlive this object.
  return [state = state_](const PubSubEvent& event) {
    MutexLock lock(&state->mutex);
    switch (event.type) {
      case EventType::kCreated:
        state->OnCreated(event.container);
        return;
      case EventType::kDeleted:
        state->OnDeleted(event.container);
        return;
      case EventType::kUpdated:
        if (event.previous != nullptr) state->OnUpdated(event);
        return;
      case EventType::kPreCreate:
        return;
    }
  };
}

void TracerCollection::Close() {
  MutexLock lock(&state_->mutex);
  while (!state_->bit_by_name.empty()) state_->Remove(state_->bit_by_name.begin()->second);
  state_->containers.clear();
  // The sink may be gone from here on.
  state_->sink = nullptr;
}

}  // namespace roster

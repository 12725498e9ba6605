#include "roster/tracer_collection.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "collection/tracers.h"
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

absl::StatusOr<int> TracerSink::OpenSet(std::string_view, TracerSet) {
  return absl::UnimplementedError("this tracer sink has no maps");
}

struct TracerCollection::State {
  explicit State(TracerSink* sink) : tracers(sink) {}
  Mutex mutex;
  roster::Tracers tracers ABSL_GUARDED_BY(mutex);
};

TracerCollection::TracerCollection(TracerSink* sink) : state_(std::make_shared<State>(sink)) {}

TracerCollection::~TracerCollection() { Close(); }

absl::StatusOr<int> TracerCollection::AddTracer(std::string_view name,
                                                const ContainerSelector& selector,
                                                TracerOptions options) {
  absl::StatusOr<CompiledSelector> compiled = CheckTracer(name, selector);
  if (!compiled.ok()) return compiled.status();
  MutexLock lock(&state_->mutex);
  roster::Tracers& tracers = state_->tracers;
  if (tracers.BitOf(name)) return NameInUse(name);
  int bit = 0;
  while (bit < kMaxTracers && tracers.IsTaken(bit)) ++bit;
  if (bit == kMaxTracers) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "add tracer ", std::string(name), ": there are ", kMaxTracers, ", the most there can be"));
  }
  absl::Status status = tracers.Add(bit, name, *std::move(compiled), selector, options);
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
  if (state_->tracers.BitOf(name)) return NameInUse(name);
  if (state_->tracers.IsTaken(bit)) {
    return absl::AlreadyExistsError(
        absl::StrCat("add tracer ", std::string(name), ": bit ", bit, " is taken"));
  }
  return state_->tracers.Add(bit, name, *std::move(compiled), selector, options);
}

absl::Status TracerCollection::RemoveTracer(std::string_view name) {
  MutexLock lock(&state_->mutex);
  const std::optional<int> bit = state_->tracers.BitOf(name);
  if (!bit) {
    return absl::NotFoundError(
        absl::StrCat("remove tracer \"", std::string(name), "\": there is none of that name"));
  }
  state_->tracers.Remove(*bit);
  return absl::OkStatus();
}

bool TracerCollection::TracerExists(std::string_view name) const {
  MutexLock lock(&state_->mutex);
  return state_->tracers.BitOf(name).has_value();
}

size_t TracerCollection::TracerCount() const {
  MutexLock lock(&state_->mutex);
  return state_->tracers.size();
}

std::vector<TracerInfo> TracerCollection::Tracers() const {
  MutexLock lock(&state_->mutex);
  return state_->tracers.Infos();
}

std::string TracerCollection::TracerDump() const {
  MutexLock lock(&state_->mutex);
  std::string dump;
  for (const TracerInfo& info : state_->tracers.Infos()) {
    absl::StrAppend(&dump, info.name, " bit ", info.bit, ", ", info.containers, " containers\n");
    for (const ContainerPtr& c : state_->tracers.ContainersOf(info.bit)) {
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
  const std::optional<int> bit = state_->tracers.BitOf(name);
  if (!bit) {
    return absl::NotFoundError(
        absl::StrCat("containers of tracer \"", std::string(name), "\": there is no such tracer"));
  }
  return state_->tracers.ContainersOf(*bit);
}

absl::StatusOr<int> TracerCollection::TracerMountNsMap(std::string_view name) const {
  MutexLock lock(&state_->mutex);
  return state_->tracers.OpenSet(name, TracerSet::kMntns);
}

absl::StatusOr<int> TracerCollection::TracerCgroupMap(std::string_view name) const {
  MutexLock lock(&state_->mutex);
  return state_->tracers.OpenSet(name, TracerSet::kCgroup);
}

TracerBits TracerCollection::BitsOf(const Container& container) const {
  MutexLock lock(&state_->mutex);
  return state_->tracers.Match(container);
}

uint64_t TracerCollection::SinkErrors() const {
  MutexLock lock(&state_->mutex);
  return state_->tracers.sink_errors();
}

bool TracerCollection::SetSinkIfNone(TracerSink* sink) {
  MutexLock lock(&state_->mutex);
  if (state_->tracers.sink() != nullptr) return false;
  state_->tracers.set_sink(sink);
  state_->tracers.Count(state_->tracers.TellEverything());
  return true;
}

void TracerCollection::DropSink() {
  MutexLock lock(&state_->mutex);
  state_->tracers.set_sink(nullptr);
}

absl::Status TracerCollection::Resync() {
  MutexLock lock(&state_->mutex);
  return state_->tracers.TellEverything();
}

FuncNotify TracerCollection::TracerMapsUpdater() {
  // The collection may outlive this object.
  return [state = state_](const PubSubEvent& event) {
    MutexLock lock(&state->mutex);
    switch (event.type) {
      case EventType::kCreated:
        state->tracers.OnCreated(event.container);
        return;
      case EventType::kDeleted:
        state->tracers.OnDeleted(event.container);
        return;
      case EventType::kUpdated:
        if (event.previous != nullptr) state->tracers.OnUpdated(event);
        return;
      case EventType::kPreCreate:
        return;
    }
  };
}

void TracerCollection::Close() {
  MutexLock lock(&state_->mutex);
  state_->tracers.Clear();
  // It may be gone from here on.
  state_->tracers.set_sink(nullptr);
}

}  // namespace roster

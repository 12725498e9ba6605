#include "collection/tracers.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace roster {
namespace {

bool Has(const TracerBits& bits, int bit) { return ((bits[bit / 64] >> (bit % 64)) & 1) != 0; }
void Put(TracerBits* bits, int bit, bool value) {
  const uint64_t mask = uint64_t{1} << (bit % 64);
  (*bits)[bit / 64] = value ? (*bits)[bit / 64] | mask : (*bits)[bit / 64] & ~mask;
}

}  // namespace

void Tracers::Count(const absl::Status& status) {
  if (!status.ok()) ++sink_errors_;
}

std::optional<int> Tracers::BitOf(std::string_view name) const {
  const auto place = bit_by_name_.find(name);
  if (place == bit_by_name_.end()) return std::nullopt;
  return place->second;
}

TracerBits Tracers::Match(const Container& container) const {
  TracerBits bits{};
  for (const auto& [name, bit] : bit_by_name_) {
    if (tracers_[bit]->compiled.Matches(container)) Put(&bits, bit, true);
  }
  return bits;
}

void Tracers::SetBits(const Known& known) {
  if (sink_ == nullptr || known.container->handle == 0) return;
  Count(sink_->SetTracerBits(known.container->handle, known.bits));
}

// Moves a container's keys in the sets of every tracer. nullptr: it was not, or is no longer,
// there.
void Tracers::MoveInSets(const Known* was, const Known* is) {
  for (const auto& [name, bit] : bit_by_name_) {
    for (TracerSetKeys& set : tracers_[bit]->sets) {
      const bool out = was != nullptr && Has(was->bits, bit);
      const bool in = is != nullptr && Has(is->bits, bit);
      if (out && in && set.KeyOf(*was->container) == set.KeyOf(*is->container)) continue;
      // In before out: a key that stays is at no time missing.
      if (in) Count(set.Add(sink_, name, set.KeyOf(*is->container)));
      if (out) Count(set.Remove(sink_, name, set.KeyOf(*was->container)));
    }
  }
}

void Tracers::OnCreated(const ContainerPtr& container) {
  Known known{container, Match(*container)};
  const auto [place, fresh] = containers_.emplace(container.get(), known);
  if (!fresh) return;
  SetBits(known);
  MoveInSets(nullptr, &known);
}

void Tracers::OnDeleted(const ContainerPtr& container) {
  const auto place = containers_.find(container.get());
  if (place == containers_.end()) return;
  const Known was = std::move(place->second);
  containers_.erase(place);
  MoveInSets(&was, nullptr);
}

void Tracers::OnUpdated(const PubSubEvent& event) {
  const auto place = containers_.find(event.previous.get());
  if (place == containers_.end()) return;
  const Known was = std::move(place->second);
  containers_.erase(place);
  const Known is{event.container, Match(*event.container)};
  containers_.emplace(event.container.get(), is);
  if (is.bits != was.bits || is.container->handle != was.container->handle) SetBits(is);
  MoveInSets(&was, &is);
}

absl::Status Tracers::Add(int bit, std::string_view name, CompiledSelector compiled,
                          const ContainerSelector& selector, TracerOptions options) {
  Tracer tracer{std::string(name), selector, std::move(compiled), options, {}};
  if (options.mntns_set) tracer.sets.emplace_back(TracerSet::kMntns);
  if (options.cgroup_set) tracer.sets.emplace_back(TracerSet::kCgroup);
  for (size_t i = 0; i < tracer.sets.size() && sink_ != nullptr; ++i) {
    absl::Status status = sink_->CreateSet(name, tracer.sets[i].kind());
    if (status.ok()) continue;
    while (i-- > 0) Count(sink_->RemoveSet(name, tracer.sets[i].kind()));
    ++sink_errors_;
    return status;
  }
  tracers_[bit] = std::move(tracer);
  bit_by_name_.emplace(std::string(name), bit);
  for (auto& [container, known] : containers_) {
    if (!tracers_[bit]->compiled.Matches(*container)) continue;
    Put(&known.bits, bit, true);
    for (TracerSetKeys& set : tracers_[bit]->sets)
      Count(set.Add(sink_, name, set.KeyOf(*container)));
    SetBits(known);
  }
  return absl::OkStatus();
}

void Tracers::Remove(int bit) {
  for (auto& [container, known] : containers_) {
    if (!Has(known.bits, bit)) continue;
    Put(&known.bits, bit, false);
    SetBits(known);
  }
  const Tracer tracer = *std::move(tracers_[bit]);
  tracers_[bit].reset();
  bit_by_name_.erase(tracer.name);
  if (sink_ == nullptr) return;
  for (const TracerSetKeys& set : tracer.sets) Count(sink_->RemoveSet(tracer.name, set.kind()));
}

void Tracers::Clear() {
  while (!bit_by_name_.empty()) Remove(bit_by_name_.begin()->second);
  containers_.clear();
}

std::vector<TracerInfo> Tracers::Infos() const {
  std::vector<TracerInfo> infos;
  for (const auto& [name, bit] : bit_by_name_) {
    const Tracer& tracer = *tracers_[bit];
    infos.push_back({name, bit, tracer.selector, tracer.options, ContainersOf(bit).size()});
  }
  return infos;
}

std::vector<ContainerPtr> Tracers::ContainersOf(int bit) const {
  std::vector<ContainerPtr> containers;
  for (const auto& [container, known] : containers_) {
    if (Has(known.bits, bit)) containers.push_back(known.container);
  }
  return containers;
}

absl::Status Tracers::TellEverything() {
  absl::Status status;
  if (sink_ == nullptr) return status;
  for (const auto& [name, bit] : bit_by_name_) {
    for (TracerSetKeys& set : tracers_[bit]->sets) {
      status.Update(sink_->CreateSet(name, set.kind()));
      status.Update(set.StoreAll(sink_, name));
    }
  }
  for (const auto& [container, known] : containers_) {
    if (container->handle == 0) continue;
    status.Update(sink_->SetTracerBits(container->handle, known.bits));
  }
  return status;
}

absl::StatusOr<int> Tracers::OpenSet(std::string_view name, TracerSet kind) const {
  const std::optional<int> bit = BitOf(name);
  if (!bit) return absl::NotFoundError(absl::StrCat("no tracer ", std::string(name)));
  const std::vector<TracerSetKeys>& sets = tracers_[*bit]->sets;
  const bool has = std::any_of(sets.begin(), sets.end(),
                               [kind](const TracerSetKeys& set) { return set.kind() == kind; });
  if (!has || sink_ == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("tracer ", std::string(name), ": ",
                     has ? "its sets are mirrored nowhere" : "was added without that set"));
  }
  return sink_->OpenSet(name, kind);
}

}  // namespace roster

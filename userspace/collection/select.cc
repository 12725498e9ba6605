// How a selector is answered: from the smallest of the lists that it pins down.
#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "collection/selector_program.h"
#include "collection/store.h"

namespace roster::collection_internal {
namespace {

using selector_internal::Field;
using selector_internal::Filter;
using selector_internal::LabelFilter;
using selector_internal::Operator;
using selector_internal::Program;
using selector_internal::Requirement;

// Past so many lists a pass over all containers is as good.
constexpr size_t kMaxAlternatives = 64;

// Lists of one index that hold between them every container that can match.
struct Candidate {
  Entry* (*owner)(const Link*);
  absl::InlinedVector<const Link*, 4> firsts;
  // Every container in the lists meets the requirement that they were found by.
  bool exact = true;
};

Entry* OwnerOfLabel(const Link* link) { return static_cast<const LabelLink*>(link)->owner; }

class Planner {
 public:
  explicit Planner(const Store& store) : store_(store) {}

  // Likely small ones first: what is known to be small cuts the measuring of the others short.
  const Candidate* Plan(const Program& program) {
    for (const Requirement& requirement : program.where) Consider(requirement);
    Consider<kPod>(store_.by_pod, program.pod_name);
    for (const LabelFilter& label : program.labels) Consider(label);
    Consider<kRuntimeContainerName>(store_.by_runtime_container_name,
                                    program.runtime_container_name);
    Consider<kContainerName>(store_.by_container_name, program.container_name);
    Consider<kNamespace>(store_.by_namespace, program.namespace_name);
    if (candidates_.empty()) return nullptr;
    if (candidates_.size() == 1) return &candidates_.front();
    const Candidate* best = nullptr;
    size_t fewest = std::numeric_limits<size_t>::max();
    for (const Candidate& candidate : candidates_) {
      const size_t count = Count(candidate, fewest);
      if (count < fewest) {
        fewest = count;
        best = &candidate;
      }
    }
    return best;
  }

 private:
  // Up to `limit`.
  static size_t Count(const Candidate& candidate, size_t limit) {
    size_t count = 0;
    for (const Link* first : candidate.firsts) {
      for (const Link* link = first; link != nullptr && count < limit; link = link->Next()) ++count;
    }
    return count;
  }

  template <size_t kNumber, typename TheIndex>
  void Consider(const TheIndex& index, const std::vector<std::string>& values, bool exact = true) {
    // The empty value is in no index.
    if (values.empty() || values.size() > kMaxAlternatives ||
        std::find(values.begin(), values.end(), "") != values.end()) {
      return;
    }
    Candidate candidate{&OwnerOf<kNumber>, {}, exact};
    for (size_t i = 0; i < values.size(); ++i) {
      if (std::find(values.begin(), values.begin() + i, values[i]) != values.begin() + i) continue;
      if (const Link* first = index.Find(std::string_view(values[i])); first != nullptr) {
        candidate.firsts.push_back(first);
      }
    }
    candidates_.push_back(std::move(candidate));
  }

  template <size_t kNumber, typename TheIndex>
  void Consider(const TheIndex& index, const Filter& filter) {
    Consider<kNumber>(index, filter.inclusions, filter.exclusions.empty());
  }

  void ConsiderLabel(std::string_view key, const std::vector<std::string>& values,
                     bool exact = true) {
    if (values.empty() || values.size() > kMaxAlternatives) return;
    Candidate candidate{&OwnerOfLabel, {}, exact};
    for (size_t i = 0; i < values.size(); ++i) {
      if (std::find(values.begin(), values.begin() + i, values[i]) != values.begin() + i) continue;
      if (const Link* first = store_.by_label.Find({key, values[i]}); first != nullptr) {
        candidate.firsts.push_back(first);
      }
    }
    candidates_.push_back(std::move(candidate));
  }

  void Consider(const LabelFilter& label) {
    if (!label.reject && !label.any_value) {
      ConsiderLabel(label.key, label.filter.inclusions, label.filter.exclusions.empty());
    }
  }

  void Consider(const Requirement& requirement) {
    if (requirement.op != Operator::kIn) return;
    switch (requirement.field) {
      case Field::kLabel:
        return ConsiderLabel(requirement.label, requirement.values);
      case Field::kId:
        return Consider<kId>(store_.by_id, requirement.values);
      case Field::kPodUid:
        return Consider<kPodUid>(store_.by_pod_uid, requirement.values);
      case Field::kPod:
        return Consider<kPod>(store_.by_pod, requirement.values);
      case Field::kName:
        return Consider<kRuntimeContainerName>(store_.by_runtime_container_name,
                                               requirement.values);
      case Field::kContainer:
        return Consider<kContainerName>(store_.by_container_name, requirement.values);
      case Field::kNamespace:
        return Consider<kNamespace>(store_.by_namespace, requirement.values);
      case Field::kRuntime:
        return Consider<kRuntime>(store_.by_runtime, requirement.values);
      default:
        return;
    }
  }

  const Store& store_;
  absl::InlinedVector<Candidate, 4> candidates_;
};

size_t Requirements(const Program& program) {
  size_t count = program.labels.size() + program.where.size();
  for (const Filter* filter :
       {&program.namespace_name, &program.pod_name, &program.container_name,
        &program.runtime_container_name, &program.image_id, &program.image_digest}) {
    if (!filter->Empty()) ++count;
  }
  return count;
}

}  // namespace

std::vector<ContainerPtr> Store::Select(const CompiledSelector& selector) const {
  constexpr int kTries = 3;
  const bool one_requirement = Requirements(selector.program()) == 1;
  absl::InlinedVector<const Entry*, 128> matches;
  const ReadSection section;
  const auto collect = [&](const Entry* entry, bool matches_already) {
    if (!matches_already && !selector.Matches(entry->container)) return;
    entry->Prefetch();
    matches.push_back(entry);
  };
  for (int i = 0; i < kTries; ++i) {
    const uint64_t moves = moves_.load(std::memory_order_acquire);
    Planner planner(*this);
    const Candidate* candidate = planner.Plan(selector.program());
    if (candidate == nullptr) break;
    for (const Link* first : candidate->firsts) {
      for (const Link* link = first; link != nullptr; link = link->Next()) {
        collect(candidate->owner(link), one_requirement && candidate->exact);
      }
    }
    // An update beside us may have moved a container from a list still to be read to one already
    // read.
    std::atomic_thread_fence(std::memory_order_acquire);
    if (moves_.load(std::memory_order_relaxed) == moves && moves % 2 == 0) {
      return HandOut(matches);
    }
    matches.clear();
  }
  // In the list of all, an entry never moves.
  for (const Link* link = FirstOfAll(); link != nullptr; link = link->Next()) {
    collect(OwnerOf<kAll>(link), /*matches_already=*/false);
  }
  return HandOut(matches);
}

}  // namespace roster::collection_internal

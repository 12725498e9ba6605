#include "roster/selector.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "collection/selector_program.h"
#include "text/string_view.h"

namespace roster {
namespace selector_internal {
namespace {

constexpr size_t kCleanImageIdBytes = 12;

bool Contains(const std::vector<std::string>& values, std::string_view value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

void CleanImageIds(std::vector<std::string>* ids) {
  for (std::string& id : *ids) id = std::string(CleanImageId(id));
}

Filter ParseImageFilter(std::string_view text) {
  Filter filter = Filter::Parse(text);
  CleanImageIds(&filter.inclusions);
  CleanImageIds(&filter.exclusions);
  return filter;
}

bool OwnerMatches(const OwnerReference& owner, std::string_view wanted) {
  const size_t slash = wanted.find('/');
  if (slash == std::string_view::npos) return owner.name == wanted;
  return owner.kind == wanted.substr(0, slash) && owner.name == wanted.substr(slash + 1);
}

// nullopt: the container has no such label, or the field is not known.
std::optional<std::string_view> ValueOf(const Requirement& requirement,
                                        const Container& container) {
  const auto known = [](std::string_view text) {
    return text.empty() ? std::nullopt : std::optional<std::string_view>(text);
  };
  switch (requirement.field) {
    case Field::kLabel: {
      const auto place = container.k8s.pod_labels.find(requirement.label);
      if (place == container.k8s.pod_labels.end()) return std::nullopt;
      return place->second;
    }
    case Field::kId:
      return known(container.runtime.container_id);
    case Field::kRuntime:
      return known(container.runtime.runtime_name);
    case Field::kOciRuntime:
      return known(container.oci_runtime);
    case Field::kName:
      return known(container.runtime.container_name);
    case Field::kImage:
      return known(container.runtime.container_image_name);
    case Field::kImageId:
      return known(container.runtime.container_image_id);
    case Field::kImageDigest:
      return known(container.runtime.container_image_digest);
    case Field::kNamespace:
      return known(container.k8s.namespace_name);
    case Field::kPod:
      return known(container.k8s.pod_name);
    case Field::kPodUid:
      return known(container.k8s.pod_uid);
    case Field::kContainer:
      return known(container.k8s.container_name);
    case Field::kOwner:
      if (container.k8s.owner == nullptr) return std::nullopt;
      return container.k8s.owner->name;
  }
  return std::nullopt;
}

}  // namespace

Filter Filter::Parse(std::string_view text) {
  Filter filter;
  if (text.empty()) return filter;
  for (absl::string_view part : absl::StrSplit(ToAbsl(text), ',')) {
    if (!part.empty() && part.front() == '!') {
      filter.exclusions.emplace_back(part.substr(1));
    } else {
      filter.inclusions.emplace_back(part);
    }
  }
  return filter;
}

bool Filter::Matches(std::string_view value) const {
  if (Contains(exclusions, value)) return false;
  return inclusions.empty() || Contains(inclusions, value);
}

std::string_view CleanImageId(std::string_view id) {
  if (const size_t colon = id.find(':'); colon != std::string_view::npos) {
    id.remove_prefix(colon + 1);
  }
  return id.substr(0, kCleanImageIdBytes);
}

bool LabelFilter::Matches(const Labels& labels) const {
  const auto place = labels.find(key);
  if (place == labels.end()) return reject;
  const bool matches = any_value || filter.Matches(place->second);
  return matches != reject;
}

bool Requirement::Matches(const Container& container) const {
  const std::optional<std::string_view> value = ValueOf(*this, container);
  const auto among = [&] {
    if (field != Field::kOwner) return Contains(values, *value);
    return std::any_of(values.begin(), values.end(), [&](const std::string& wanted) {
      return OwnerMatches(*container.k8s.owner, wanted);
    });
  };
  switch (op) {
    case Operator::kExists:
      return value.has_value();
    case Operator::kAbsent:
      return !value.has_value();
    case Operator::kIn:
      return value.has_value() && among();
    case Operator::kNotIn:
      return !value.has_value() || !among();
    case Operator::kPrefix:
      return value.has_value() && value->starts_with(values.front());
    case Operator::kContains:
      return value.has_value() && value->find(values.front()) != std::string_view::npos;
    case Operator::kGreater:
    case Operator::kLess: {
      int64_t actual = 0;
      if (!value.has_value() || !absl::SimpleAtoi(ToAbsl(*value), &actual)) return false;
      return op == Operator::kGreater ? actual > number : actual < number;
    }
  }
  return false;
}

bool Program::Matches(const Container& container) const {
  if (everything) return true;
  const auto image_matches = [](const Filter& filter, std::string_view id) {
    return filter.Empty() || filter.Matches(CleanImageId(id));
  };
  if (!namespace_name.Matches(container.k8s.namespace_name) ||
      !pod_name.Matches(container.k8s.pod_name) ||
      !container_name.Matches(container.k8s.container_name) ||
      !runtime_container_name.Matches(container.runtime.container_name) ||
      !image_matches(image_id, container.runtime.container_image_id) ||
      !image_matches(image_digest, container.runtime.container_image_digest)) {
    return false;
  }
  for (const LabelFilter& label : labels) {
    if (!label.Matches(container.k8s.pod_labels)) return false;
  }
  for (const Requirement& requirement : where) {
    if (!requirement.Matches(container)) return false;
  }
  return true;
}

}  // namespace selector_internal

using selector_internal::Filter;
using selector_internal::LabelFilter;
using selector_internal::Program;

CompiledSelector::CompiledSelector() {
  static const auto& everything = *new std::shared_ptr<const Program>(std::make_shared<Program>());
  program_ = everything;
}

CompiledSelector::CompiledSelector(std::shared_ptr<const Program> program)
    : program_(std::move(program)) {}

absl::StatusOr<CompiledSelector> CompiledSelector::Compile(const ContainerSelector& selector) {
  if (selector == ContainerSelector()) return CompiledSelector();
  auto program = std::make_shared<Program>();
  program->everything = false;
  program->namespace_name = Filter::Parse(selector.k8s.namespace_name);
  program->pod_name = Filter::Parse(selector.k8s.pod_name);
  program->container_name = Filter::Parse(selector.k8s.container_name);
  program->runtime_container_name = Filter::Parse(selector.runtime.container_name);
  program->image_id = selector_internal::ParseImageFilter(selector.runtime.container_image_id);
  program->image_digest =
      selector_internal::ParseImageFilter(selector.runtime.container_image_digest);
  for (const auto& [key, text] : selector.k8s.pod_labels) {
    LabelFilter label;
    label.reject = !key.empty() && key.front() == '!';
    label.key = label.reject ? key.substr(1) : key;
    label.any_value = text.empty();
    label.filter = Filter::Parse(text);
    program->labels.push_back(std::move(label));
  }
  if (!selector.where.empty()) {
    absl::StatusOr<std::vector<selector_internal::Requirement>> where =
        selector_internal::ParseWhere(selector.where);
    if (!where.ok()) return where.status();
    program->where = *std::move(where);
  }
  return CompiledSelector(std::move(program));
}

bool CompiledSelector::Matches(const Container& container) const {
  return program_->Matches(container);
}

bool CompiledSelector::MatchesEverything() const { return program_->everything; }

bool ContainerSelectorMatches(const ContainerSelector& selector, const Container& container) {
  const absl::StatusOr<CompiledSelector> compiled = CompiledSelector::Compile(selector);
  return compiled.ok() && compiled->Matches(container);
}

std::map<std::string, std::string> ParseLabelFilters(std::string_view text,
                                                     std::vector<std::string>* ignored) {
  std::map<std::string, std::string> labels;
  if (text.empty()) return labels;
  for (absl::string_view part : absl::StrSplit(ToAbsl(text), ',')) {
    const std::vector<absl::string_view> halves = absl::StrSplit(part, '=');
    if (halves.size() == 2) {
      labels[std::string(halves[0])] = std::string(halves[1]);
    } else if (ignored != nullptr) {
      ignored->emplace_back(part);
    }
  }
  return labels;
}

}  // namespace roster

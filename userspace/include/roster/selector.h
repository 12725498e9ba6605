// ContainerSelector is a query over containers: namespace, pod, names, labels, image, and an
// expression.
//
//   ContainerSelector selector;
//   selector.k8s.namespace_name = "shop,!test";                     // the reference's grammar
//   selector.where = "@runtime in (docker, podman), !canary";       // the extended one
//   absl::StatusOr<CompiledSelector> compiled = CompiledSelector::Compile(selector);
//   if (compiled.ok() && compiled->Matches(container)) ...
//
// docs/selectors.md is the grammar of both. All fields must match; an empty field matches
// everything.
#ifndef ROSTER_SELECTOR_H_
#define ROSTER_SELECTOR_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "roster/container.h"

namespace roster {

// Each value is a filter "a,b,!c": any of a or b, and not c; nothing is trimmed or escaped.
struct K8sSelector {
  std::string namespace_name;
  std::string pod_name;
  std::string container_name;
  // Key to filter. "" is "has the label". A key that begins with '!' rejects what its filter
  // matches; with "" it is "does not have the label".
  std::map<std::string, std::string> pod_labels;

  bool operator==(const K8sSelector&) const = default;
};

struct RuntimeSelector {
  std::string container_name;
  // Compared by the first 12 bytes after the first ':', on both sides.
  std::string container_image_id;
  std::string container_image_digest;

  bool operator==(const RuntimeSelector&) const = default;
};

struct ContainerSelector {
  K8sSelector k8s;
  RuntimeSelector runtime;
  // Label requirements as kubectl writes them, and requirements on fields, whose keys begin with
  // '@': "app in (web, api), tier != cache, !canary, @id ^= 4f3a, @owner = Deployment/web".
  std::string where;

  bool operator==(const ContainerSelector&) const = default;
};

namespace selector_internal {
struct Program;
}  // namespace selector_internal

// A selector made ready for matching. Immutable, cheap to copy, thread-safe.
class CompiledSelector {
 public:
  // Matches everything.
  CompiledSelector();

  // INVALID_ARGUMENT when `where` does not parse. The message says where, with a caret under the
  // place:
  //   selector: offset 11: expected ',' or ')'
  //     app in (web
  //                ^
  // The other fields cannot be wrong.
  static absl::StatusOr<CompiledSelector> Compile(const ContainerSelector& selector);

  // No allocation; costs a few comparisons of text per requirement.
  bool Matches(const Container& container) const;

  // True when it has no requirement at all.
  bool MatchesEverything() const;

  // For index planning inside the library.
  const selector_internal::Program& program() const { return *program_; }

 private:
  explicit CompiledSelector(std::shared_ptr<const selector_internal::Program> program);
  std::shared_ptr<const selector_internal::Program> program_;
};

// Compiles and matches once; a selector that does not compile matches nothing. Use CompiledSelector
// to match many containers.
bool ContainerSelectorMatches(const ContainerSelector& selector, const Container& container);

// "k=v,k2=v2" to a label map, as the reference's command line does: parts that are not exactly one
// key and one value are left out, and their texts appended to `ignored` when given, so that a
// caller need not be silent.
std::map<std::string, std::string> ParseLabelFilters(std::string_view text,
                                                     std::vector<std::string>* ignored = nullptr);

}  // namespace roster

#endif  // ROSTER_SELECTOR_H_

// Program is a selector in the form in which it is matched.
#ifndef ROSTER_USERSPACE_COLLECTION_SELECTOR_PROGRAM_H_
#define ROSTER_USERSPACE_COLLECTION_SELECTOR_PROGRAM_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "roster/container.h"

namespace roster::selector_internal {

// One value of the reference's grammar: "a,b,!c".
struct Filter {
  std::vector<std::string> inclusions;
  std::vector<std::string> exclusions;

  static Filter Parse(std::string_view text);
  bool Empty() const { return inclusions.empty() && exclusions.empty(); }
  bool Matches(std::string_view value) const;
};

// "sha256:0123456789abcdef" to "0123456789ab", as the reference compares image ids and digests.
std::string_view CleanImageId(std::string_view id);

struct LabelFilter {
  std::string key;
  bool reject = false;     // written "!key"
  bool any_value = false;  // the filter is ""
  Filter filter;

  bool Matches(const Labels& labels) const;
};

// What a requirement of the extended grammar is about.
enum class Field {
  kLabel,
  kId,
  kRuntime,
  kOciRuntime,
  kName,
  kImage,
  kImageId,
  kImageDigest,
  kNamespace,
  kPod,
  kPodUid,
  kContainer,
  kOwner,
};

enum class Operator { kIn, kNotIn, kExists, kAbsent, kPrefix, kContains, kGreater, kLess };

struct Requirement {
  Field field = Field::kLabel;
  std::string label;  // for kLabel
  Operator op = Operator::kIn;
  std::vector<std::string> values;
  int64_t number = 0;  // for kGreater and kLess

  bool Matches(const Container& container) const;
};

struct Program {
  Filter namespace_name;
  Filter pod_name;
  Filter container_name;
  Filter runtime_container_name;
  Filter image_id;
  Filter image_digest;
  std::vector<LabelFilter> labels;
  std::vector<Requirement> where;
  bool everything = true;

  bool Matches(const Container& container) const;
};

// The extended grammar. INVALID_ARGUMENT with offset and caret.
absl::StatusOr<std::vector<Requirement>> ParseWhere(std::string_view text);

}  // namespace roster::selector_internal

#endif  // ROSTER_USERSPACE_COLLECTION_SELECTOR_PROGRAM_H_

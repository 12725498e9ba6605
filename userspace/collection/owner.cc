#include "roster/owner.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace roster {
namespace {

constexpr int kMaxDepth = 16;
constexpr std::array<std::string_view, 7> kExpectedKinds = {
    "Deployment", "ReplicaSet", "StatefulSet",          "DaemonSet",
    "Job",        "CronJob",    "ReplicationController"};

bool IsExpected(const OwnerReference& owner) {
  return std::find(kExpectedKinds.begin(), kExpectedKinds.end(), owner.kind) !=
         kExpectedKinds.end();
}

const OwnerReference* Choose(const std::vector<OwnerReference>& owners) {
  const OwnerReference* first = nullptr;
  for (const OwnerReference& owner : owners) {
    if (!IsExpected(owner)) continue;
    if (owner.controller) return &owner;
    if (first == nullptr) first = &owner;
  }
  return first;
}

}  // namespace

OwnerWalk WalkOwners(OwnerSource& source, std::string_view namespace_name, std::string_view pod) {
  OwnerWalk walk;
  std::string api_version = "v1";
  std::string resource = "pods";
  std::string name(pod);
  for (int depth = 0; depth <= kMaxDepth; ++depth) {
    absl::StatusOr<std::vector<OwnerReference>> owners =
        source.OwnerReferences(api_version, resource, namespace_name, name);
    if (!owners.ok()) {
      walk.status = owners.status();
      return walk;
    }
    const OwnerReference* next = Choose(*owners);
    if (next == nullptr) return walk;
    api_version = next->api_version;
    resource = absl::StrCat(absl::AsciiStrToLower(next->kind), "s");
    name = next->name;
    walk.owner = *next;
  }
  walk.status = absl::FailedPreconditionError(
      absl::StrCat("owners of pod ", std::string(pod), ": more than ", kMaxDepth, " levels"));
  return walk;
}

}  // namespace roster

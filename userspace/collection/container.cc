#include "roster/container.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "roster/owner.h"
#include "text/string_view.h"

namespace roster {
namespace {

// One look-up for each byte: every add validates an id of 64.
constexpr std::array<bool, 256> kIsIdCharacter = [] {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[c] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[c] = table[c - 'A' + 'a'] = true;
  for (const char c : {'_', '.', '+', '-'}) table[c] = true;
  return table;
}();

bool IsIdCharacter(char c) { return kIsIdCharacter[static_cast<unsigned char>(c)]; }

}  // namespace

bool RuntimeMetadata::IsEnriched() const {
  return !runtime_name.empty() && runtime_name != "unknown" && !container_id.empty() &&
         !container_name.empty() && !container_image_name.empty() &&
         !container_image_digest.empty();
}

bool K8sMetadata::IsEnriched() const {
  return !namespace_name.empty() && !pod_name.empty() && !container_name.empty() &&
         !pod_labels.empty();
}

bool K8sMetadata::operator==(const K8sMetadata& other) const {
  const bool same_owner = owner == other.owner ||
                          (owner != nullptr && other.owner != nullptr && *owner == *other.owner);
  return same_owner && namespace_name == other.namespace_name && pod_name == other.pod_name &&
         container_name == other.container_name && pod_uid == other.pod_uid &&
         pod_labels == other.pod_labels;
}

std::string Container::K8sPodLabelsAsString() const {
  std::string text;
  for (const auto& [key, value] : k8s.pod_labels) {
    absl::StrAppend(&text, text.empty() ? "" : ",", key, "=", value);
  }
  return text;
}

absl::StatusOr<std::optional<OwnerReference>> Container::GetOwnerReference(
    OwnerSource& source) const {
  if (k8s.owner != nullptr) return *k8s.owner;
  if (k8s.namespace_name.empty() || k8s.pod_name.empty()) return std::nullopt;
  OwnerWalk walk = WalkOwners(source, k8s.namespace_name, k8s.pod_name);
  if (!walk.owner.has_value() && !walk.status.ok()) return walk.status;
  return walk.owner;
}

bool SameContainer(const Container& a, const Container& b) {
  if (a.runtime.container_id != b.runtime.container_id) return false;
  if (a.handle != 0 && b.handle != 0) return a.handle == b.handle;
  if (a.mntns != 0 && b.mntns != 0) return a.mntns == b.mntns;
  const uint32_t a_pid = a.runtime.container_pid;
  const uint32_t b_pid = b.runtime.container_pid;
  return a_pid == 0 || b_pid == 0 || a_pid == b_pid;
}

absl::Status ValidateContainerID(std::string_view id) {
  if (id.empty()) return absl::InvalidArgumentError("container id: is empty");
  if (id == "." || id == "..") {
    return absl::InvalidArgumentError(
        absl::StrCat("container id \"", ToAbsl(id), "\": is a directory"));
  }
  const auto bad = std::find_if_not(id.begin(), id.end(), IsIdCharacter);
  if (bad != id.end()) {
    // The id itself may hold anything: only the place and the byte's number are repeated.
    return absl::InvalidArgumentError(
        absl::StrCat("container id: byte ", static_cast<int>(static_cast<unsigned char>(*bad)),
                     " at offset ", bad - id.begin(), " is not one of [A-Za-z0-9_+.-]"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ParseContainerID(std::string_view expected_runtime,
                                             std::string_view id) {
  if (const size_t colon = id.find("://"); colon != std::string_view::npos) {
    if (id.substr(0, colon) != expected_runtime) {
      return absl::InvalidArgumentError(absl::StrCat(
          "container id of runtime ", ToAbsl(expected_runtime), ": names another runtime"));
    }
    id.remove_prefix(colon + 3);
  }
  absl::Status status = ValidateContainerID(id);
  if (!status.ok()) return status;
  return std::string(id);
}

std::string TrimRuntimePrefix(std::string_view id) {
  const size_t slashes = id.find("//");
  return slashes == std::string_view::npos ? "" : std::string(id.substr(slashes + 2));
}

}  // namespace roster

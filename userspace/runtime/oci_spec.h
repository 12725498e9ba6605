// OciSpec is the part of an OCI config.json that Roster uses.
#ifndef ROSTER_USERSPACE_RUNTIME_OCI_SPEC_H_
#define ROSTER_USERSPACE_RUNTIME_OCI_SPEC_H_

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace roster {

inline constexpr size_t kMaxConfigDepth = 128;
inline constexpr size_t kMaxConfigEntries = 65536;

struct OciSpec {
  struct Namespace {
    std::string type;  // "mount", "network", "pid", ...
    std::string path;  // "": a new one

    bool operator==(const Namespace&) const = default;
  };

  std::string hostname;
  std::string cgroups_path;  // linux.cgroupsPath
  std::string rootfs;        // root.path, relative to the bundle
  std::map<std::string, std::string> annotations;
  std::vector<Namespace> namespaces;
  std::vector<std::pair<std::string, std::string>> mounts;  // source, destination
  std::vector<std::string> args;                            // process.args

  // Whether the container gets or joins a namespace of this type: without "network" it has the
  // host's.
  bool HasNamespace(std::string_view type) const;
  // The path of the namespace to join; "": a new one, or none of this type.
  std::string_view NamespacePath(std::string_view type) const;
  // The annotation's value, "" when absent.
  std::string_view Annotation(std::string_view key) const;

  bool operator==(const OciSpec&) const = default;
};

// Parses the text of a config.json. Members that are absent or null stay empty, unknown ones are
// skipped. A known member of the wrong type is INVALID_ARGUMENT naming it
// ("linux.namespaces[2].type is a number, not a string"), and so are text that is no JSON, more
// than kMaxConfigDepth levels and more than kMaxConfigEntries entries. Bytes that are no UTF-8
// become U+FFFD, as with runc. Stack and memory are bounded whatever the text: only what is kept is
// stored.
absl::StatusOr<OciSpec> ParseOciSpec(std::string_view text);

}  // namespace roster

#endif  // ROSTER_USERSPACE_RUNTIME_OCI_SPEC_H_

// Bundle is an OCI bundle directory, read the way the calling runtime will read it.
#ifndef ROSTER_USERSPACE_RUNTIME_BUNDLE_H_
#define ROSTER_USERSPACE_RUNTIME_BUNDLE_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "process/proc_task.h"
#include "runtime/oci_spec.h"

namespace roster {

inline constexpr size_t kMaxConfigBytes = 16 << 20;

struct Bundle {
  std::string path;  // absolute, symbolic links resolved; the host's view, or the caller's where
                     // its root is another
  std::string config_text;  // config.json's text, valid UTF-8 (other bytes became U+FFFD)
  OciSpec spec;
};

// Reads `bundle` (absolute, relative, or "" for the working directory) as `caller` sees it: against
// its working directory and inside its root, without following the magic links of /proc.
// config.json is tried first, then userdata/config.json (podman, CRI-O). `config` is crun's
// --config: a path instead of config.json, relative to the bundle. The file must be a regular one
// and no symbolic link; it is opened so that a FIFO does not block.
//   NOT_FOUND            no such bundle, no config.json in it, or the caller is gone
//   FAILED_PRECONDITION  a FIFO, directory, device or symbolic link in its place
//   OUT_OF_RANGE         over kMaxConfigBytes
//   INVALID_ARGUMENT     no JSON, too deep, wrong types (see ParseOciSpec)
// Each message names the file. Never blocks on other than the disk.
absl::StatusOr<Bundle> ReadBundle(const ProcTask& caller, std::string_view bundle,
                                  std::string_view config = "");

// The same for a path in Roster's own root.
absl::StatusOr<Bundle> ReadBundleAt(const std::string& path);

}  // namespace roster

#endif  // ROSTER_USERSPACE_RUNTIME_BUNDLE_H_

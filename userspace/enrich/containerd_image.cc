#include "enrich/containerd_image.h"

#include <sys/utsname.h>

#include "enrich/json_fields.h"
#include "kernel/errors.h"

namespace roster {
namespace {

// What Go calls this machine's architecture.
std::string GoArchitecture() {
  struct utsname name;
  if (uname(&name) != 0) return "";
  std::string machine = name.machine;
  if (machine == "x86_64") return "amd64";
  if (machine == "aarch64") return "arm64";
  if (machine.starts_with("armv")) return "arm";
  return machine;  // riscv64, s390x, ppc64le
}

}  // namespace

absl::StatusOr<ManifestTarget> ParseManifest(std::string_view text) {
  ROSTER_ASSIGN_OR_RETURN(const nlohmann::json manifest, ParseForeignJson(text, "image manifest"));
  ManifestTarget target;
  if (const nlohmann::json* config = Member(manifest, "config"); config != nullptr) {
    target.config = StringMember(*config, "digest");
    if (!target.config.empty()) return target;
  }
  const nlohmann::json* manifests = Member(manifest, "manifests");
  if (manifests == nullptr || !manifests->is_array()) {
    return absl::DataLossError("image manifest: neither config nor manifests");
  }
  const std::string architecture = GoArchitecture();
  for (const nlohmann::json& entry : *manifests) {
    const nlohmann::json* platform = Member(entry, "platform");
    // A single one without a platform is taken, as containerd does.
    const bool fits = platform == nullptr
                          ? manifests->size() == 1
                          : StringMember(*platform, "os") == "linux" &&
                                StringMember(*platform, "architecture") == architecture;
    if (!fits) continue;
    target.manifest = StringMember(entry, "digest");
    if (!target.manifest.empty()) return target;
  }
  return absl::NotFoundError("image index: no manifest for linux on this architecture");
}

}  // namespace roster

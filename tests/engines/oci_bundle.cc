#include "engines/oci_bundle.h"

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "kernel/errors.h"

namespace roster::testing {
namespace {

using nlohmann::json;

json Mounts(bool host_pid) {
  json mounts = {
      {{"destination", "/dev"},
       {"type", "tmpfs"},
       {"source", "tmpfs"},
       {"options", {"nosuid", "strictatime", "mode=755", "size=65536k"}}},
      {{"destination", "/dev/pts"},
       {"type", "devpts"},
       {"source", "devpts"},
       {"options", {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"}}},
      {{"destination", "/dev/shm"},
       {"type", "tmpfs"},
       {"source", "shm"},
       {"options", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}}},
  };
  if (host_pid) {
    mounts.push_back(
        {{"destination", "/proc"}, {"type", "bind"}, {"source", "/proc"}, {"options", {"rbind"}}});
  } else {
    mounts.push_back({{"destination", "/proc"}, {"type", "proc"}, {"source", "proc"}});
  }
  return mounts;
}

}  // namespace

json OciConfig(const ContainerSpec& spec, const std::string& rootfs,
               const std::string& cgroups_path) {
  json namespaces = {{{"type", "mount"}}, {{"type", "ipc"}}, {{"type", "uts"}}};
  if (!spec.host_network) namespaces.push_back({{"type", "network"}});
  if (!spec.host_pid) namespaces.push_back({{"type", "pid"}});
  json capabilities = {"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"};
  json linux = {{"cgroupsPath", cgroups_path},
                {"resources", {{"devices", {{{"allow", false}, {"access", "rwm"}}}}}},
                {"namespaces", namespaces}};
  // Masking needs a proc of the container's own.
  if (!spec.host_pid) {
    linux["maskedPaths"] = {"/proc/kcore", "/proc/keys"};
    linux["readonlyPaths"] = {"/proc/sys", "/proc/sysrq-trigger"};
  }
  return {
      {"ociVersion", "1.0.2"},
      {"process",
       {{"terminal", false},
        {"user", {{"uid", 0}, {"gid", 0}}},
        {"args", spec.arguments},
        {"env", {"PATH=/bin:/"}},
        {"cwd", "/"},
        {"capabilities",
         {{"bounding", capabilities}, {"effective", capabilities}, {"permitted", capabilities}}},
        {"noNewPrivileges", true}}},
      {"root", {{"path", rootfs}, {"readonly", true}}},
      {"hostname", spec.name},
      {"mounts", Mounts(spec.host_pid)},
      {"linux", linux}};
}

absl::Status WriteBundle(const std::string& bundle, const json& config) {
  std::error_code ignored;
  std::filesystem::create_directories(bundle, ignored);
  std::ofstream file(bundle + "/config.json");
  file << config.dump(1);
  file.close();
  return file ? absl::OkStatus() : ErrnoStatus("write", bundle + "/config.json", errno);
}

}  // namespace roster::testing

#include "engines/image.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "engines/command.h"
#include "kernel/errors.h"
#include "nlohmann/json.hpp"

namespace roster::testing {
namespace {

namespace fs = std::filesystem;

absl::Status FillRootfs(const std::string& rootfs) {
  std::error_code error;
  for (const char* name : {"bin", "dev", "etc", "proc", "sys", "tmp", "run", "root"}) {
    fs::create_directories(absl::StrCat(rootfs, "/", name), error);
  }
  std::ofstream(rootfs + "/etc/passwd") << "root:x:0:0:root:/root:/bin/sh\n";
  std::ofstream(rootfs + "/etc/group") << "root:x:0:\n";
  fs::copy_file("/bin/busybox", rootfs + "/bin/busybox", error);
  if (error) return ErrnoStatus("copy", "/bin/busybox", error.value());
  for (const char* applet : {"sh", "sleep", "true", "cat", "echo", "ls", "ps"}) {
    fs::create_symlink("busybox", absl::StrCat(rootfs, "/bin/", applet), error);
  }
  fs::copy_file(ROSTER_PAYLOAD_PROGRAM, rootfs + "/bin/payload", error);
  if (error) return ErrnoStatus("copy", ROSTER_PAYLOAD_PROGRAM, error.value());
  for (int marker = 0; marker < kMarkers; ++marker) {
    std::string path = rootfs + MarkerPath(marker);
    if (::link((rootfs + "/bin/payload").c_str(), path.c_str()) != 0)
      return ErrnoStatus("link", path, errno);
  }
  return absl::OkStatus();
}

// A docker-archive, which docker, podman and ctr all load: manifest, configuration, one layer.
absl::Status MakeArchive(const std::string& directory, const std::string& archive) {
  CommandOptions options;
  options.directory = directory;
  ROSTER_RETURN_IF_ERROR(RunForOutput({"tar", "--sort=name", "--numeric-owner", "-cf", "layer.tar",
                                       "-C", "rootfs", "."},
                                      options)
                             .status());
  ROSTER_ASSIGN_OR_RETURN(std::string sum, RunForOutput({"sha256sum", "layer.tar"}, options));
  nlohmann::json config = {
      {"architecture", sizeof(void*) == 8 ? ROSTER_IMAGE_ARCHITECTURE : "386"},
      {"os", "linux"},
      {"config",
       {{"Cmd", {MarkerPath(0), "exit"}},
        {"Env", {"PATH=/bin:/"}},
        {"Labels", {{"made-by", "roster-engines"}}}}},
      {"rootfs", {{"type", "layers"}, {"diff_ids", {"sha256:" + sum.substr(0, 64)}}}}};
  nlohmann::json manifest = {
      {{"Config", "config.json"}, {"RepoTags", {kImageName}}, {"Layers", {"layer.tar"}}}};
  std::ofstream(directory + "/config.json") << config.dump();
  std::ofstream(directory + "/manifest.json") << manifest.dump();
  return RunForOutput({"tar", "-cf", archive, "manifest.json", "config.json", "layer.tar"}, options)
      .status();
}

absl::Status Rename(const std::string& from, const std::string& to) {
  return ::rename(from.c_str(), to.c_str()) == 0 ? absl::OkStatus()
                                                 : ErrnoStatus("rename", to, errno);
}

}  // namespace

std::string MarkerPath(int marker) { return absl::StrCat("/rc", marker); }

absl::StatusOr<std::string> MakeRootfs(const Workspace& workspace) {
  const std::string rootfs = workspace.MakeDirectory("image") + "/rootfs";
  if (fs::exists(rootfs)) return rootfs;
  // Under another name first, so that a half-made one is never taken for whole.
  ROSTER_RETURN_IF_ERROR(FillRootfs(rootfs + ".new"));
  ROSTER_RETURN_IF_ERROR(Rename(rootfs + ".new", rootfs));
  return rootfs;
}

absl::StatusOr<Image> MakeImage(const Workspace& workspace) {
  ROSTER_ASSIGN_OR_RETURN(const std::string rootfs, MakeRootfs(workspace));
  const std::string directory = workspace.MakeDirectory("image");
  Image image{rootfs, directory + "/image.tar"};
  if (fs::exists(image.archive)) return image;
  ROSTER_RETURN_IF_ERROR(MakeArchive(directory, image.archive + ".new"));
  ROSTER_RETURN_IF_ERROR(Rename(image.archive + ".new", image.archive));
  return image;
}

}  // namespace roster::testing

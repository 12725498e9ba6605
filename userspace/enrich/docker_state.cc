#include "enrich/docker_state.h"

#include <fcntl.h>

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "enrich/docker_json.h"
#include "enrich/json_fields.h"
#include "kernel/errors.h"
#include "runtime/bounded_file.h"
#include "runtime/container_id.h"
#include "text/quote.h"

namespace roster {
namespace {

// A parse costs about 10 us a KiB, and the file is read while a runtime waits.
constexpr size_t kMaxBytes = 256 << 10;
constexpr size_t kIdLength = 64;

}  // namespace

std::string DockerContainersDirectory(const OciSpec& spec) {
  for (const auto& [source, destination] : spec.mounts) {
    const size_t slash = source.rfind('/');
    if (slash == std::string::npos || slash < kIdLength + 1) continue;
    const std::string name = source.substr(slash + 1);
    if (name != "hostname" && name != "hosts" && name != "resolv.conf") continue;
    if (destination != absl::StrCat("/etc/", name)) continue;
    const size_t id_at = slash - kIdLength;
    const bool is_id = std::all_of(source.begin() + id_at, source.begin() + slash, [](char c) {
      return absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f');
    });
    std::string directory = source.substr(0, id_at - 1);
    if (!is_id || source[id_at - 1] != '/' || !directory.starts_with("/")) continue;
    if (directory.ends_with("/containers")) return directory;
  }
  return "";
}

absl::StatusOr<EngineContainer> ParseDockerState(std::string_view text) {
  ROSTER_ASSIGN_OR_RETURN(const nlohmann::json state, ParseForeignJson(text, "config.v2.json"));
  EngineContainer container;
  container.id = StringMember(state, "ID");
  if (container.id.empty()) return absl::DataLossError("config.v2.json: no ID");
  container.name = DockerName({StringMember(state, "Name")});
  container.image_id = StringMember(state, "Image");
  if (const nlohmann::json* config = Member(state, "Config"); config != nullptr) {
    SetDockerImage(StringMember(*config, "Image"), &container);
    SetDockerLabels(StringMapMember(*config, "Labels"), &container);
  }
  return container;
}

absl::StatusOr<EngineContainer> ReadDockerState(const std::string& directory,
                                                const std::string& id) {
  ROSTER_RETURN_IF_ERROR(ValidateContainerId(id));
  const std::string path = absl::StrCat(directory, "/", id, "/config.v2.json");
  ROSTER_ASSIGN_OR_RETURN(
      const std::string text,
      ReadBoundedFile(AT_FDCWD, path.c_str(), path, {.max_bytes = kMaxBytes, .root_owned = true}));
  ROSTER_ASSIGN_OR_RETURN(EngineContainer container, ParseDockerState(text));
  if (container.id != id) {
    return absl::DataLossError(absl::StrCat(path, ": is of ", QuoteForMessage(container.id)));
  }
  return container;
}

}  // namespace roster

#include "enrich/podman_state.h"

#include <fcntl.h>

#include <cstring>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "enrich/json_fields.h"
#include "kernel/errors.h"
#include "runtime/bounded_file.h"
#include "runtime/container_id.h"
#include "text/quote.h"
#include "text/string_view.h"

namespace roster {
namespace {

constexpr size_t kMaxContainersBytes = 8 << 20;
constexpr size_t kMaxImagesBytes = 32 << 20;

absl::StatusOr<EngineContainer> ReadFrom(const std::string& path, const std::string& id) {
  ROSTER_ASSIGN_OR_RETURN(const std::string text,
                          ReadBoundedFile(AT_FDCWD, path.c_str(), path,
                                          {.max_bytes = kMaxContainersBytes, .root_owned = true}));
  ROSTER_ASSIGN_OR_RETURN(const std::string_view entry, FindPodmanEntry(text, id));
  return ParsePodmanEntry(entry);
}

// The end of the JSON object that begins at `start`, npos where it does not end.
size_t EndOfObject(std::string_view text, size_t start) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = start; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth == 0) {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

}  // namespace

PodmanStore ParsePodmanBundle(std::string_view bundle) {
  std::vector<std::string> parts = absl::StrSplit(ToAbsl(bundle), '/');
  while (!parts.empty() && parts.back().empty()) parts.pop_back();
  if (parts.size() < 4 || !parts.front().empty() || parts.back() != "userdata") return {};
  const std::string& id = parts[parts.size() - 2];
  const std::string& containers = parts[parts.size() - 3];
  if (!ValidateContainerId(id).ok() || !absl::EndsWith(containers, "-containers")) return {};
  const std::string driver = containers.substr(0, containers.size() - strlen("-containers"));
  std::string root;
  for (size_t i = 1; i + 3 < parts.size(); ++i) absl::StrAppend(&root, "/", parts[i]);
  return {absl::StrCat(root, "/", containers), absl::StrCat(root, "/", driver, "-images"), id};
}

absl::StatusOr<std::string_view> FindPodmanEntry(std::string_view text, std::string_view id) {
  ROSTER_RETURN_IF_ERROR(ValidateContainerId(id));
  if (!text.starts_with("[") && text != "null") {
    return absl::DataLossError(absl::StrCat("no array: ", QuoteForMessage(text)));
  }
  // Go writes an object's members in the order of the struct, "id" first, without blanks; and
  // within a string a quote is escaped, so this cannot be part of one.
  const std::string start = absl::StrCat("{\"id\":\"", ToAbsl(id), "\"");
  const size_t at = text.find(start);
  if (at == std::string_view::npos) {
    return absl::NotFoundError(absl::StrCat("no entry of ", QuoteForMessage(id)));
  }
  const size_t end = EndOfObject(text, at);
  if (end == std::string_view::npos) {
    return absl::DataLossError(absl::StrCat("entry of ", QuoteForMessage(id), " is cut off"));
  }
  return text.substr(at, end - at);
}

absl::StatusOr<EngineContainer> ParsePodmanEntry(std::string_view text) {
  ROSTER_ASSIGN_OR_RETURN(const nlohmann::json entry, ParseForeignJson(text, "containers.json"));
  EngineContainer container;
  container.id = StringMember(entry, "id");
  if (container.id.empty()) return absl::DataLossError("containers.json: entry without an id");
  container.image_id = StringMember(entry, "image");
  const nlohmann::json* names = Member(entry, "names");
  if (names != nullptr && names->is_array() && !names->empty() && names->front().is_string()) {
    container.name = names->front().get<std::string>();
  }
  // What libpod adds: JSON within a string.
  const absl::StatusOr<nlohmann::json> metadata =
      ParseForeignJson(StringMember(entry, "metadata"), "containers.json: metadata");
  if (!metadata.ok()) return container;
  container.image_name = StringMember(*metadata, "image-name");
  if (container.image_id.empty()) container.image_id = StringMember(*metadata, "image-id");
  if (container.name.empty()) container.name = StringMember(*metadata, "name");
  return container;
}

absl::StatusOr<EngineContainer> ReadPodmanState(const PodmanStore& store) {
  absl::StatusOr<EngineContainer> container =
      ReadFrom(absl::StrCat(store.containers, "/containers.json"), store.id);
  if (!absl::IsNotFound(container.status())) return container;
  absl::StatusOr<EngineContainer> removed_at_exit =
      ReadFrom(absl::StrCat(store.containers, "/volatile-containers.json"), store.id);
  // The first file's error is the better one where neither has it.
  return removed_at_exit.ok() ? removed_at_exit : container;
}

absl::StatusOr<std::string> ReadPodmanImageDigest(const PodmanStore& store,
                                                  const std::string& image_id) {
  const std::string path = absl::StrCat(store.images, "/images.json");
  ROSTER_ASSIGN_OR_RETURN(const std::string text,
                          ReadBoundedFile(AT_FDCWD, path.c_str(), path,
                                          {.max_bytes = kMaxImagesBytes, .root_owned = true}));
  ROSTER_ASSIGN_OR_RETURN(const std::string_view entry, FindPodmanEntry(text, image_id));
  ROSTER_ASSIGN_OR_RETURN(const nlohmann::json image, ParseForeignJson(entry, path));
  return StringMember(image, "digest");
}

}  // namespace roster

#include "runtime/runtime_state.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "kernel/errors.h"
#include "kernel/fd.h"
#include "runtime/bounded_file.h"
#include "runtime/container_id.h"
#include "text/quote.h"

namespace roster {
namespace {

using nlohmann::json;

constexpr size_t kMaxStateBytes = 16 << 20;
constexpr size_t kMaxStates = 65536;

// The member, or nullptr when it is absent or of another type.
const json* Member(const json& object, const char* name, json::value_t type) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  if (found == object.end()) return nullptr;
  const bool number = type == json::value_t::number_unsigned && found->is_number_unsigned();
  return number || found->type() == type ? &*found : nullptr;
}

std::string TextMember(const json& object, const char* name) {
  const json* member = Member(object, name, json::value_t::string);
  return member == nullptr ? "" : member->get<std::string>();
}

uint64_t NumberMember(const json& object, const char* name) {
  const json* member = Member(object, name, json::value_t::number_unsigned);
  return member == nullptr ? 0 : member->get<uint64_t>();
}

// runc keeps the bundle among the labels of its configuration: ["bundle=/path"].
std::string BundleLabel(const json& state) {
  const json* config = Member(state, "config", json::value_t::object);
  const json* labels =
      config == nullptr ? nullptr : Member(*config, "labels", json::value_t::array);
  if (labels == nullptr) return "";
  constexpr std::string_view kPrefix = "bundle=";
  for (const json& label : *labels) {
    if (!label.is_string()) continue;
    const std::string text = label.get<std::string>();
    if (text.starts_with(kPrefix)) return text.substr(kPrefix.size());
  }
  return "";
}

absl::Status CheckRootOwned(int fd, const std::string& path) {
  struct stat info;
  if (fstat(fd, &info) != 0) return ErrnoStatus("stat", path, errno);
  if (info.st_uid != 0 || (info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat("state directory ", path, ": not root's alone"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RuntimeState> ParseRuntimeState(std::string_view text, const std::string& id,
                                               bool crun) {
  // Root wrote it, and nlohmann neither recurses while it parses nor while it frees.
  const json state = json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  const auto refuse = [&id](const char* why) {
    return absl::InvalidArgumentError(
        absl::StrCat("state of container ", QuoteForMessage(id), ": ", why));
  };
  if (!state.is_object()) return refuse("no JSON object");
  const std::string stated_id = TextMember(state, "id");
  if (!stated_id.empty() && stated_id != id) return refuse("names another id");
  RuntimeState result;
  result.id = id;
  uint64_t pid = NumberMember(state, "pid");
  result.bundle = TextMember(state, "bundle");
  if (crun) {
    result.oci_runtime = "crun";
    result.init_start_time_ticks = NumberMember(state, "process-start-time");
  } else if (Member(state, "init_process_pid", json::value_t::number_unsigned) != nullptr) {
    result.oci_runtime = "runc";
    pid = NumberMember(state, "init_process_pid");
    result.init_start_time_ticks = NumberMember(state, "init_process_start");
    result.bundle = BundleLabel(state);
  } else {
    result.oci_runtime = "youki";
  }
  if (pid == 0 || pid > static_cast<uint64_t>(std::numeric_limits<pid_t>::max()))
    return refuse("no pid");
  result.init_pid = static_cast<pid_t>(pid);
  return result;
}

absl::StatusOr<RuntimeState> ReadRuntimeState(const std::string& root, const std::string& id) {
  ROSTER_RETURN_IF_ERROR(ValidateContainerId(id));
  const std::string path = absl::StrCat(root, "/", id);
  const Fd dir(open(path.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!dir.valid()) return ErrnoStatus("open", path, errno);
  ROSTER_RETURN_IF_ERROR(CheckRootOwned(dir.get(), path));
  const FileRules rules = {.max_bytes = kMaxStateBytes, .root_owned = true};
  absl::StatusOr<std::string> text =
      ReadBoundedFile(dir.get(), "state.json", absl::StrCat(path, "/state.json"), rules);
  if (text.ok()) return ParseRuntimeState(*text, id, /*crun=*/false);
  if (!absl::IsNotFound(text.status())) return text.status();
  text = ReadBoundedFile(dir.get(), "status", absl::StrCat(path, "/status"), rules);
  if (!text.ok()) return text.status();
  return ParseRuntimeState(*text, id, /*crun=*/true);
}

std::vector<std::string> ListRuntimeStates(const std::string& root) {
  std::vector<std::string> ids;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir(root.c_str()), closedir);
  if (dir == nullptr) return ids;
  while (const dirent* entry = readdir(dir.get())) {
    if (ids.size() == kMaxStates) break;
    if (ValidateContainerId(entry->d_name).ok()) ids.emplace_back(entry->d_name);
  }
  return ids;
}

bool IsInitOf(const RuntimeState& state, pid_t pid, uint64_t start_time_ticks) {
  return state.init_pid == pid &&
         (state.init_start_time_ticks == 0 || state.init_start_time_ticks == start_time_ticks);
}

}  // namespace roster

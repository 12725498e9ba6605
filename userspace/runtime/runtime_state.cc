#include "runtime/runtime_state.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "kernel/errors.h"
#include "kernel/fd.h"
#include "runtime/bounded_file.h"
#include "runtime/container_id.h"
#include "text/quote.h"
#include "text/string_view.h"

namespace roster {
namespace {

using nlohmann::json;

constexpr size_t kMaxStateBytes = 16 << 20;
constexpr size_t kMaxStates = 65536;
constexpr uint64_t kMaxPid = std::numeric_limits<pid_t>::max();

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

// Of the container that its sandbox is named after.
std::string RunscStateName(std::string_view id) {
  return absl::StrCat(ToAbsl(id), "_sandbox:", ToAbsl(id), ".state");
}

// The id in such a name, or "".
std::string IdInRunscStateName(std::string_view name) {
  const std::string_view id = name.substr(0, name.find("_sandbox:"));
  return RunscStateName(id) == name ? std::string(id) : "";
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

constexpr FileRules kStateRules = {.max_bytes = kMaxStateBytes, .root_owned = true};

absl::StatusOr<RuntimeState> ReadRunscState(const std::string& root, const std::string& id) {
  const std::string name = RunscStateName(id);
  const std::string path = absl::StrCat(root, "/", name);
  // A search asks every root for every id, and most have none.
  if (access(path.c_str(), F_OK) != 0) return ErrnoStatus("open", path, errno);
  const Fd dir(open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!dir.valid()) return ErrnoStatus("open", root, errno);
  ROSTER_RETURN_IF_ERROR(CheckRootOwned(dir.get(), root));
  ROSTER_ASSIGN_OR_RETURN(const std::string text,
                          ReadBoundedFile(dir.get(), name.c_str(), path, kStateRules));
  return ParseRuntimeState(text, id, /*crun=*/false);
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
  } else if (const json* sandbox = Member(state, "sandbox", json::value_t::object);
             sandbox != nullptr) {
    result.oci_runtime = "runsc";
    pid = NumberMember(*sandbox, "pid");
    const uint64_t gofer = NumberMember(state, "goferPid");
    if (gofer <= kMaxPid) result.gofer_pid = static_cast<pid_t>(gofer);
    result.bundle = TextMember(state, "bundleDir");
  } else {
    result.oci_runtime = "youki";
  }
  if (pid == 0 || pid > kMaxPid) return refuse("no pid");
  result.init_pid = static_cast<pid_t>(pid);
  return result;
}

absl::StatusOr<RuntimeState> ReadRuntimeState(const std::string& root, const std::string& id) {
  ROSTER_RETURN_IF_ERROR(ValidateContainerId(id));
  const std::string path = absl::StrCat(root, "/", id);
  const Fd dir(open(path.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!dir.valid() && errno == ENOENT) return ReadRunscState(root, id);
  if (!dir.valid()) return ErrnoStatus("open", path, errno);
  ROSTER_RETURN_IF_ERROR(CheckRootOwned(dir.get(), path));
  absl::StatusOr<std::string> text =
      ReadBoundedFile(dir.get(), "state.json", absl::StrCat(path, "/state.json"), kStateRules);
  if (text.ok()) return ParseRuntimeState(*text, id, /*crun=*/false);
  if (!absl::IsNotFound(text.status())) return text.status();
  text = ReadBoundedFile(dir.get(), "status", absl::StrCat(path, "/status"), kStateRules);
  if (!text.ok()) return text.status();
  return ParseRuntimeState(*text, id, /*crun=*/true);
}

std::vector<std::string> ListRuntimeStates(const std::string& root) {
  std::vector<std::string> ids;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir(root.c_str()), closedir);
  if (dir == nullptr) return ids;
  while (const dirent* entry = readdir(dir.get())) {
    if (ids.size() == kMaxStates) break;
    std::string id = IdInRunscStateName(entry->d_name);
    if (id.empty()) id = entry->d_name;
    if (ValidateContainerId(id).ok()) ids.push_back(std::move(id));
  }
  return ids;
}

bool IsInitOf(const RuntimeState& state, pid_t pid, uint64_t start_time_ticks) {
  return state.init_pid == pid &&
         (state.init_start_time_ticks == 0 || state.init_start_time_ticks == start_time_ticks);
}

}  // namespace roster

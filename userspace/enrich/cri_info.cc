#include "enrich/cri_info.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "enrich/json_fields.h"
#include "kernel/errors.h"
#include "text/quote.h"

namespace roster {
namespace {

using nlohmann::json;

void FillFromSpec(const json& spec, EngineContainer* container) {
  if (const json* linux_part = Member(spec, "linux"); linux_part != nullptr) {
    container->cgroup_path = StringMember(*linux_part, "cgroupsPath");
  }
  const json* mounts = Member(spec, "mounts");
  if (mounts == nullptr || !mounts->is_array()) return;
  for (const json& mount : *mounts) {
    std::string destination = StringMember(mount, "destination");
    if (destination.empty()) continue;
    container->mounts.emplace_back(StringMember(mount, "source"), std::move(destination));
  }
}

absl::Status FillFromOldForm(const std::map<std::string, std::string>& info,
                             EngineContainer* container) {
  const auto pid = info.find("pid");
  if (pid == info.end()) return absl::DataLossError("verbose status: no pid");
  if (!absl::SimpleAtoi(pid->second, &container->pid) || container->pid == 0 ||
      container->pid > kMaxPid) {
    container->pid = 0;
    return absl::DataLossError(absl::StrCat("verbose status: pid ", QuoteForMessage(pid->second)));
  }
  const auto spec = info.find("runtimeSpec");
  if (spec == info.end()) return absl::OkStatus();
  ROSTER_ASSIGN_OR_RETURN(const json parsed,
                          ParseForeignJson(spec->second, "verbose status: runtimeSpec"));
  FillFromSpec(parsed, container);
  return absl::OkStatus();
}

}  // namespace

absl::Status FillFromCriInfo(const std::map<std::string, std::string>& info,
                             EngineContainer* container) {
  const auto entry = info.find("info");
  if (entry == info.end()) return FillFromOldForm(info, container);
  ROSTER_ASSIGN_OR_RETURN(const json parsed,
                          ParseForeignJson(entry->second, "verbose status: info"));
  container->pid = PidMember(parsed, "pid");
  if (container->pid == 0) return absl::DataLossError("verbose status: info has no pid");
  if (const json* spec = Member(parsed, "runtimeSpec"); spec != nullptr) {
    FillFromSpec(*spec, container);
  }
  return absl::OkStatus();
}

}  // namespace roster

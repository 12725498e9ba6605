#include "cli/entries.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/daemon_client.h"
#include "cli/output.h"
#include "daemon/convert.h"
#include "daemon/watch_filter.h"
#include "kernel/errors.h"
#include "roster/reader.h"

namespace roster::cli {
namespace {

constexpr size_t kMaxCandidates = 10;

// The daemon is away or stuck, as opposed to having answered with an error.
bool IsAway(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
}

absl::StatusOr<std::vector<Entry>> ListFromPins(const Paths& paths, const v1::Selector& selector,
                                                const absl::Status& daemon) {
  ROSTER_ASSIGN_OR_RETURN(const CompiledSelector compiled,
                          CompiledSelector::Compile(FromProto(selector)));
  const WatchFilter filter(selector.container());
  absl::StatusOr<Reader> reader = Reader::Open(paths.pin_dir);
  if (!reader.ok()) {
    return absl::UnavailableError(
        absl::StrCat(daemon.message(), "\n", reader.status().message(),
                     "\nstart the daemon (roster daemon), or see: roster doctor"));
  }
  ROSTER_ASSIGN_OR_RETURN(const std::vector<Member> members, reader->List());
  PrintNotice(absl::StrCat(daemon.message(), "; answered from the pins, ", paths.pin_dir));
  std::vector<Entry> entries;
  bool truncated = false;
  for (const Member& member : members) {
    if (!IsListed(member)) continue;
    Entry entry = EntryFromMember(member);
    if (!compiled.Matches(entry.container) || !filter.Matches(entry.container)) continue;
    truncated = truncated || (member.record.flags & ROSTER_R_LABELS_TRUNCATED) != 0;
    entries.push_back(std::move(entry));
  }
  if (truncated) PrintNotice("some containers have more labels than the pins hold");
  return entries;
}

}  // namespace

absl::StatusOr<std::vector<Entry>> ListEntries(const Paths& paths, const v1::Selector& selector,
                                               bool include_oci_config) {
  absl::StatusOr<DaemonClient> client = DaemonClient::Connect(paths.socket);
  absl::Status daemon = client.status();
  if (client.ok()) {
    auto entries = client->List(selector, include_oci_config);
    if (entries.ok() || !IsAway(entries.status())) return entries;
    daemon = absl::UnavailableError(absl::StrCat("socket ", paths.socket,
                                                 ": the daemon does not answer (",
                                                 entries.status().message(), ")"));
  }
  if (!IsAway(daemon)) return daemon;
  return ListFromPins(paths, selector, daemon);
}

absl::StatusOr<Entry> PickByIdPrefix(std::vector<Entry> entries, std::string_view id_prefix) {
  if (id_prefix.empty()) return absl::InvalidArgumentError("container id \"\": is empty");
  const auto begins = [&](const Entry& entry) {
    return entry.container.runtime.container_id.starts_with(id_prefix);
  };
  entries.erase(
      std::remove_if(entries.begin(), entries.end(), [&](const Entry& e) { return !begins(e); }),
      entries.end());
  const std::string text(id_prefix);
  if (entries.empty())
    return absl::NotFoundError(absl::StrCat("container id \"", text, "\": no such container"));
  // A whole id is meant, even where it is also the beginning of another.
  const auto whole = std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) {
    return entry.container.runtime.container_id == id_prefix;
  });
  if (whole != entries.end()) return std::move(*whole);
  if (entries.size() == 1) return std::move(entries.front());
  std::string message =
      absl::StrCat("container id \"", text, "\" is ambiguous, ", entries.size(), " begin with it:");
  for (size_t i = 0; i < std::min(entries.size(), kMaxCandidates); ++i) {
    absl::StrAppend(&message, "\n  ", entries[i].container.runtime.container_id, "  ",
                    DisplayName(entries[i]));
  }
  if (entries.size() > kMaxCandidates)
    absl::StrAppend(&message, "\n  and ", entries.size() - kMaxCandidates, " more");
  return absl::FailedPreconditionError(message);
}

absl::StatusOr<Entry> GetEntry(const Paths& paths, std::string_view id_prefix) {
  absl::StatusOr<DaemonClient> client = DaemonClient::Connect(paths.socket);
  absl::Status daemon = client.status();
  if (client.ok()) {
    auto entry = client->Get(id_prefix);
    if (entry.ok() || absl::IsNotFound(entry.status())) return entry;
    // Candidates with their names, alike from the daemon and from the pins.
    if (absl::IsFailedPrecondition(entry.status())) {
      auto entries = client->List({}, false);
      if (entries.ok()) return PickByIdPrefix(*std::move(entries), id_prefix);
    }
    if (!IsAway(entry.status())) return entry;
    daemon = absl::UnavailableError(
        absl::StrCat("socket ", paths.socket, ": the daemon does not answer"));
  }
  if (!IsAway(daemon)) return daemon;
  ROSTER_ASSIGN_OR_RETURN(std::vector<Entry> entries, ListFromPins(paths, {}, daemon));
  return PickByIdPrefix(std::move(entries), id_prefix);
}

}  // namespace roster::cli

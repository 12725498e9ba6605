// Reads pins by bpf(2), with the layouts of the ABI, and of the internal maps where they could
// leak.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "engines/host_state.h"
#include "engines/wait.h"
#include "integration/roster_under_test.h"
#include "integration/zombies.h"
#include "kernel/clock.h"
#include "kernel/errors.h"
#include "lineage_abi.h"
#include "roster_abi.h"

namespace roster::testing {
namespace {

absl::StatusOr<Fd> OpenPin(const std::string& path) {
  Fd pin(bpf_obj_get(path.c_str()));
  if (!pin.valid()) return ErrnoStatus("open the pin", path, errno);
  return pin;
}

// An element that is deleted meanwhile makes the walk begin anew: keys seen twice are the caller's
// to bear.
template <typename Key>
std::set<Key> Keys(int fd) {
  std::set<Key> keys;
  Key key{}, next{};
  for (const Key* at = nullptr; bpf_map_get_next_key(fd, at, &next) == 0;) {
    if (!keys.insert(next).second) break;
    key = next;
    at = &key;
  }
  return keys;
}

absl::StatusOr<std::map<uint64_t, uint64_t>> ReadIdentities(const std::string& path) {
  ROSTER_ASSIGN_OR_RETURN(Fd pin, OpenPin(path));
  std::map<uint64_t, uint64_t> entries;
  for (uint64_t key : Keys<uint64_t>(pin.get())) {
    uint64_t handle = 0;
    if (bpf_map_lookup_elem(pin.get(), &key, &handle) == 0) entries[key] = handle;
  }
  return entries;
}

// How long a tombstone is kept, as the ABI promises, and what an expiry may be late by.
uint64_t TombstoneNs() {
  return static_cast<uint64_t>(
      absl::ToInt64Nanoseconds(absl::Seconds(5) + absl::Seconds(2) * TimeScale()));
}

// The map's delete may fail now and then (see on_free): such an entry is void and used again. More
// than this is no longer now and then.
constexpr size_t kVoidEntries = 8;

// The internal maps, where they exist: what no container has left may not be in them either.
void ReadInternal(const std::string& directory, const std::set<uint64_t>& foreign,
                  PinState* state) {
  if (absl::StatusOr<Fd> pin = OpenPin(directory + "/roster_lineage"); pin.ok()) {
    roster_lineage entry{};
    for (uint64_t task : Keys<uint64_t>(pin->get())) {
      if (bpf_map_lookup_elem(pin->get(), &task, &entry) != 0) continue;
      if (entry.exited == ROSTER_FREED) {
        ++state->void_lineage;
      } else if (!foreign.contains(entry.member)) {
        ++(entry.exited == ROSTER_EXITED ? state->exited_lineage : state->lineage);
      }
    }
  }
  if (absl::StatusOr<Fd> pin = OpenPin(directory + "/roster_arm"); pin.ok())
    state->armed = Keys<uint32_t>(pin->get()).size();
  if (absl::StatusOr<Fd> pin = OpenPin(directory + "/roster_hot"); pin.ok()) {
    roster_hot hot{};
    const uint32_t zero = 0;
    if (bpf_map_lookup_elem(pin->get(), &zero, &hot) == 0) {
      state->hot_armed = hot.armed;
      state->hot_carriers = hot.carriers;
    }
  }
}

// How many runs of the program that the link attaches the kernel has skipped.
uint64_t SkippedRuns(const std::string& link_path) {
  const Fd link(bpf_obj_get(link_path.c_str()));
  bpf_link_info link_info{};
  uint32_t size = sizeof(link_info);
  if (bpf_obj_get_info_by_fd(link.get(), &link_info, &size) != 0) return 0;
  const Fd program(bpf_prog_get_fd_by_id(link_info.prog_id));
  bpf_prog_info info{};
  size = sizeof(info);
  return bpf_obj_get_info_by_fd(program.get(), &info, &size) == 0 ? info.recursion_misses : 0;
}

void CompareCount(const std::string& what, uint64_t after, uint64_t before,
                  std::vector<std::string>* lines) {
  if (after > before) lines->push_back(absl::StrCat(what, ": ", after - before, " more"));
}

// Somebody else's container on this machine: its init lives, in a cgroup that is not the
// workspace's.
bool IsForeign(const roster_membership& membership, const std::string& unique_name) {
  if (membership.init_pid == 0) return false;
  std::string cgroups = ReadKernelFile(absl::StrCat("/proc/", membership.init_pid, "/cgroup"));
  return !cgroups.empty() && !absl::StrContains(cgroups, unique_name);
}

void Forget(const std::set<uint64_t>& handles, std::map<uint64_t, uint64_t>* identities) {
  std::erase_if(*identities, [&](const auto& entry) { return handles.contains(entry.second); });
}

void Compare(const std::string& map, const std::map<uint64_t, uint64_t>& after,
             const std::map<uint64_t, uint64_t>& before, std::vector<std::string>* lines) {
  for (auto [key, handle] : after) {
    if (!before.contains(key)) lines->push_back(absl::StrFormat("%s: %d -> %#x", map, key, handle));
  }
}

}  // namespace

std::vector<std::string> PinState::MoreThan(const PinState& before) const {
  std::vector<std::string> lines;
  Compare("roster_mntns", mntns, before.mntns, &lines);
  Compare("roster_netns", netns, before.netns, &lines);
  Compare("roster_cgroup", cgroups, before.cgroups, &lines);
  for (const auto& [handle, text] : slots) {
    if (!before.slots.contains(handle)) {
      lines.push_back(absl::StrFormat("roster_slot: %#x %s", handle, text));
    }
  }
  for (const auto& [handle, id] : records) {
    if (!before.records.contains(handle)) {
      lines.push_back(absl::StrFormat("roster_record: %#x id '%s'", handle, id));
    }
  }
  for (const auto& [handle, id] : overdue) {
    lines.push_back(absl::StrFormat("roster_record: %#x tombstone of '%s'", handle, id));
  }
  CompareCount("roster_lineage", lineage, before.lineage, &lines);
  CompareCount("roster_lineage's exited tasks", exited_lineage,
               before.exited_lineage + untold_frees, &lines);
  CompareCount("roster_lineage's void entries", void_lineage, before.void_lineage + kVoidEntries,
               &lines);
  CompareCount("roster_arm", armed, before.armed, &lines);
  CompareCount("roster_hot.armed", hot_armed, before.hot_armed, &lines);
  CompareCount("roster_hot.carriers", hot_carriers, before.hot_carriers, &lines);
  return lines;
}

absl::StatusOr<PinState> RosterUnderTest::ReadPins() const {
  PinState state;
  ROSTER_ASSIGN_OR_RETURN(state.mntns, ReadIdentities(pin_directory_ + "/roster_mntns"));
  ROSTER_ASSIGN_OR_RETURN(state.netns, ReadIdentities(pin_directory_ + "/roster_netns"));
  ROSTER_ASSIGN_OR_RETURN(state.cgroups, ReadIdentities(pin_directory_ + "/roster_cgroup"));
  std::set<uint64_t> foreign;
  ROSTER_ASSIGN_OR_RETURN(Fd slots, OpenPin(pin_directory_ + "/roster_slot"));
  for (uint32_t slot = 0; slot < ROSTER_MAX_SLOTS; ++slot) {
    roster_membership membership{};
    if (bpf_map_lookup_elem(slots.get(), &slot, &membership) != 0) break;
    if (membership.handle != 0 && IsForeign(membership, workspace_.unique_name())) {
      foreign.insert(membership.handle);
      continue;
    }
    if (membership.handle != 0 || membership.state != ROSTER_FREE)
      state.slots[membership.handle] =
          absl::StrFormat("state %d flags %#x init %d parent %#x", membership.state,
                          membership.flags, membership.init_pid, membership.parent);
  }
  ROSTER_ASSIGN_OR_RETURN(Fd records, OpenPin(pin_directory_ + "/roster_record"));
  for (uint64_t handle : Keys<uint64_t>(records.get())) {
    roster_record record{};
    if (foreign.contains(handle) || bpf_map_lookup_elem(records.get(), &handle, &record) != 0)
      continue;
    const std::string id(record.id, strnlen(record.id, sizeof(record.id)));
    if ((record.flags & ROSTER_R_TOMBSTONE) == 0) {
      state.records[handle] = id;
    } else if (running() && record.ended_at_ns + TombstoneNs() < RealTimeNs()) {
      state.overdue[handle] = id;
    }
  }
  for (auto* identities : {&state.mntns, &state.netns, &state.cgroups}) Forget(foreign, identities);
  ReadInternal(pin_directory_ + "/internal", foreign, &state);
  if (untold_frees_.ok()) state.untold_frees = (*untold_frees_)->Count();
  return state;
}

absl::Status RosterUnderTest::AwaitNothingMoreThan(const PinState& before,
                                                   absl::Time deadline) const {
  // The kernel clears entries when it frees the last task, which nothing but the maps tells.
  Ticker ticker(absl::Milliseconds(20));
  std::vector<std::string> left;
  absl::Status read = absl::OkStatus();
  absl::Status waited =
      WaitUntil("the pins to hold no more than before", {ticker.fd()}, deadline, [&] {
        ticker.Take();
        absl::StatusOr<PinState> now = ReadPins();
        read = now.status();
        if (!now.ok()) return true;
        left = now->MoreThan(before);
        return left.empty();
      });
  if (!read.ok() || waited.ok()) return read;
  return absl::InternalError(
      absl::StrCat(waited.message(), "; left over:\n  ", absl::StrJoin(left, "\n  ")));
}

absl::StatusOr<uint64_t> RosterUnderTest::Stat(uint32_t number) const {
  ROSTER_ASSIGN_OR_RETURN(Fd pin, OpenPin(pin_directory_ + "/roster_stats"));
  std::vector<uint64_t> values(libbpf_num_possible_cpus());
  if (bpf_map_lookup_elem(pin.get(), &number, values.data()) != 0)
    return ErrnoStatus("read", "roster_stats", errno);
  uint64_t sum = 0;
  for (uint64_t value : values) sum += value;
  return sum;
}

absl::StatusOr<roster_record> RosterUnderTest::Record(uint64_t handle) const {
  ROSTER_ASSIGN_OR_RETURN(Fd pin, OpenPin(pin_directory_ + "/roster_record"));
  roster_record record{};
  if (bpf_map_lookup_elem(pin.get(), &handle, &record) != 0)
    return ErrnoStatus("read", absl::StrFormat("the record of %#x", handle), errno);
  return record;
}

std::string RosterUnderTest::DescribeKernelSide() const {
  std::string text = "counters:";
  for (uint32_t number = 0; number < ROSTER_STAT_MAX; ++number) {
    const absl::StatusOr<uint64_t> count = Stat(number);
    if (count.ok() && *count != 0) absl::StrAppend(&text, " ", number, "=", *count);
  }
  if (absl::StatusOr<Fd> pin = OpenPin(pin_directory_ + "/internal/roster_lineage"); pin.ok()) {
    roster_lineage entry{};
    std::map<uint32_t, int> states;
    for (uint64_t key : Keys<uint64_t>(pin->get())) {
      if (bpf_map_lookup_elem(pin->get(), &key, &entry) == 0) ++states[entry.exited];
    }
    absl::StrAppend(&text, "; lineage: ", states[0], " alive, ", states[1], " exited, ", states[2],
                    " void; skipped runs:");
  }
  std::error_code ignored;
  for (const auto& entry :
       std::filesystem::directory_iterator(pin_directory_ + "/links", ignored)) {
    absl::StrAppend(&text, " ", entry.path().filename().string(), " ", SkippedRuns(entry.path()));
  }
  absl::StrAppend(&text, "; untold frees: ",
                  untold_frees_.ok() ? absl::StrCat((*untold_frees_)->Count())
                                     : untold_frees_.status().ToString());
  absl::StrAppend(&text, "; zombies: ", DescribeZombies());
  return text;
}

}  // namespace roster::testing

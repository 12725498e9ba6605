// Are the pins of this version and boot, and what do their counters tell.
#include "absl/strings/str_cat.h"
#include "cli/doctor/check.h"
#include "roster/reader.h"

namespace roster::cli {

Check CheckPins(const Paths& paths) {
  Check check{.name = "pins"};
  absl::StatusOr<Reader> reader = Reader::Open(paths.pin_dir);
  if (!reader.ok()) {
    check.verdict = Verdict::kFailure;
    check.detail = std::string(reader.status().message());
    check.advice = absl::IsNotFound(reader.status()) ? "start the daemon, which makes them"
                   : absl::IsFailedPrecondition(reader.status())
                       ? "roster uninstall, then start the daemon"
                       : "run as root";
    return check;
  }
  const roster_abi abi = reader->Abi();
  const auto members = reader->List();
  check.detail = absl::StrCat(paths.pin_dir, ", ABI ", abi.major, ".", abi.minor);
  if (members.ok()) {
    absl::StrAppend(&check.detail, ", ", members->size(), " of ", ROSTER_MAX_SLOTS,
                    " slots in use");
    if (members->size() > ROSTER_MAX_SLOTS * 9 / 10) {
      check.verdict = Verdict::kWarning;
      check.advice = "there is room for few containers more";
    }
  }
  if (!reader->IsDaemonAlive()) {
    check.verdict = Verdict::kWarning;
    absl::StrAppend(&check.detail, abi.daemon_pid == 0
                                       ? "; the daemon was stopped"
                                       : "; the daemon is stuck or was killed (pid ");
    if (abi.daemon_pid != 0) absl::StrAppend(&check.detail, abi.daemon_pid, ")");
    check.advice =
        "the kernel's programs go on; new containers get their names once the daemon is back";
  }
  return check;
}

CounterMeaning MeaningOf(uint32_t stat) {
  switch (stat) {
    case ROSTER_STAT_SLOTS_FULL_DAEMON:
    case ROSTER_STAT_MNTNS_FULL_DAEMON:
    case ROSTER_STAT_NETNS_FULL_DAEMON:
    case ROSTER_STAT_CGROUP_FULL_DAEMON:
      return MeaningOf(stat - ROSTER_STAT_SLOTS_FULL_DAEMON + ROSTER_STAT_SLOTS_FULL);
    case ROSTER_STAT_SLOTS_FULL:
      return {"slots full", "containers that found no free slot in roster_slot",
              "fewer containers at one time, or a build with a larger ROSTER_MAX_SLOTS"};
    case ROSTER_STAT_MNTNS_FULL:
      return {"roster_mntns full", "mount namespaces that did not fit",
              "fewer containers at one time"};
    case ROSTER_STAT_NETNS_FULL:
      return {"roster_netns full", "network namespaces that did not fit",
              "fewer containers at one time"};
    case ROSTER_STAT_CGROUP_FULL:
      return {"roster_cgroup full", "cgroups, children included, that did not fit",
              "fewer containers, or fewer child cgroups in them"};
    case ROSTER_STAT_CGROUPS_BOUND:
      return {
          "child cgroups beyond bound",
          "child cgroups of a container that has a quarter of roster_cgroup: by these it is not "
          "found",
          "which container makes so many cgroups?"};
    case ROSTER_STAT_TASKS_BOUND:
      return {
          "tasks beyond bound",
          "tasks of a container that has a quarter of the lineage: these are found by namespace "
          "only",
          "which container makes so many tasks? A limit of pids ends that"};
    case ROSTER_STAT_RECORD_FULL:
      return {"roster_record full", "records that did not fit: containers without a name",
              "fewer containers at one time"};
    case ROSTER_STAT_LINEAGE_LOST:
      return {"lineage lost",
              "tasks that could not be entered into the lineage: their containers are found by "
              "namespace only",
              "fewer tasks in containers"};
    case ROSTER_STAT_TASK_STORAGE_LOST:
      return {"task storage lost",
              "tasks without task storage, as happens under contention with preempt=full: "
              "look-ups of these use the identity maps",
              ""};
    case ROSTER_STAT_EVENTS_LOST:
      return {
          "events lost",
          "messages of the kernel's programs that the daemon did not fetch in time: it has looked "
          "for itself since",
          "is the daemon short of CPU?"};
    case ROSTER_STAT_HOLDS_EXPIRED:
      return {"holds expired",
              "runtimes let go at the deadline, before the container's name was known",
              "is the machine overloaded? --hold-deadline may be longer"};
    case ROSTER_STAT_UNRESOLVED:
      return {"unresolved", "containers that nobody could name",
              "which runtime is it? roster list shows provisional"};
    case ROSTER_STAT_BAD_BUNDLE:
      return {"bad bundles", "bundles, config.json or pid files that could not be read",
              "the daemon's log names them"};
    default:
      return {"", "", ""};
  }
}

Checks CheckCounters(const Paths& paths) {
  absl::StatusOr<Reader> reader = Reader::Open(paths.pin_dir);
  if (!reader.ok()) return {};  // CheckPins says why
  const auto stats = reader->ReadStats();
  if (!stats.ok()) {
    return {{.name = "counters",
             .verdict = Verdict::kWarning,
             .detail = std::string(stats.status().message())}};
  }
  Checks checks;
  for (uint32_t stat = 0; stat < stats->size(); ++stat) {
    const CounterMeaning meaning = MeaningOf(stat);
    if ((*stats)[stat] == 0 || *meaning.name == '\0') continue;
    checks.push_back({.name = meaning.name,
                      .verdict = Verdict::kWarning,
                      .detail = absl::StrCat((*stats)[stat], ": ", meaning.meaning),
                      .advice = meaning.advice});
  }
  if (checks.empty()) {
    checks.push_back(
        {.name = "counters",
         .detail = absl::StrCat("nothing was lost; ", (*stats)[ROSTER_STAT_BOUND],
                                " containers bound, ", (*stats)[ROSTER_STAT_PROVISIONAL],
                                " provisional, ", (*stats)[ROSTER_STAT_ENDED], " ended")});
  }
  return checks;
}

}  // namespace roster::cli

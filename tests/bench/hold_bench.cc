// hold_bench prints what Roster adds to the start of a container, and what it costs to know many:
//
//   hold_bench [STARTS [CONTAINERS]]     (root; 200 and 1000 by default)
//
//   - starts of runc and crun, held and not held in turns: the same daemon, the same programs in
//     the kernel, but every second start is made by a copy of the runtime that is not marked.
//     Before that the same without a daemon, when nothing is held: what then seems to be added is
//     noise
//   - the daemon's start until it says READY: the first, and one that finds the pins and CONTAINERS
//     containers
//   - with CONTAINERS containers: resident memory of the daemon and its keeper, kernel memory of
//     the pinned maps, and what `roster list` takes: time, and processor time, which a busy machine
//     stretches less
//
// Everything it makes lies in directories of its own and is removed at the end.
#include <bpf/bpf.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "engines/command.h"
#include "engines/host_state.h"
#include "engines/oci_engine.h"
#include "engines/wait.h"
#include "engines/workspace.h"
#include "integration/exec_times.h"
#include "integration/judge.h"
#include "integration/roster_under_test.h"
#include "kernel/clock.h"

namespace roster::testing {
namespace {

namespace fs = std::filesystem;

// Throws nothing and leaves nothing: the guard of a workspace sweeps when this process is gone.
void Check(const absl::Status& status) {
  if (status.ok()) return;
  absl::FPrintF(stderr, "hold_bench: %s\n", status.ToString());
  std::exit(1);
}

template <typename T>
T Check(absl::StatusOr<T> value) {
  Check(value.status());
  return *std::move(value);
}

// A number of kB of a file like /proc/PID/status.
int64_t Kilobytes(const std::string& path, const std::string& name) {
  const std::string text = ReadKernelFile(path);
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::vector<absl::string_view> words =
        absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    int64_t value = 0;
    if (words.size() >= 2 && absl::StartsWith(words[0], name) && absl::SimpleAtoi(words[1], &value))
      return value;
  }
  return 0;
}

// The process whose parent is `pid`, and which is no thread of it: the keeper.
pid_t ChildOf(pid_t pid) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    pid_t child = 0;
    if (absl::SimpleAtoi(entry.path().filename().string(), &child) &&
        Kilobytes(entry.path().string() + "/status", "PPid:") == pid) {
      return child;
    }
  }
  return 0;
}

struct Times {
  std::vector<absl::Duration> start;  // of the runtime's command, or commands
  std::vector<absl::Duration> execs;  // of its execs among that
  uint64_t holds = 0;                 // of all of them
  absl::Duration daemon;              // its and its keeper's processor time, removal included
};

// The daemon, or none.
struct Holder {
  explicit Holder(const RosterUnderTest* the_roster) : roster(the_roster) {
    if (roster != nullptr) processes = {roster->pid(), ChildOf(roster->pid())};
  }
  // All threads' so far.
  absl::Duration ProcessorTime() const {
    absl::Duration sum;
    for (const pid_t pid : processes) {
      clockid_t clock;
      if (clock_getcpuclockid(pid, &clock) == 0) sum += absl::Nanoseconds(ClockNs(clock));
    }
    return sum;
  }
  uint64_t Holds() const { return roster == nullptr ? 0 : Check(roster->Stat(ROSTER_STAT_HOLDS)); }

  const RosterUnderTest* roster;
  std::vector<pid_t> processes;  // it and its keeper
};

void StartOnce(OciEngine* engine, StartMode mode, const Holder& holder, ExecTimes* execs,
               Times* times) {
  static int number = 0;
  Check(execs->Take().status());
  const uint64_t holds_before = holder.Holds();
  const absl::Duration daemon_before = holder.ProcessorTime();
  const std::vector<StartedContainer> started =
      Check(StartContainers(engine, mode, 1, 1, absl::StrCat("bench", ++number, "-"), 0, nullptr));
  times->holds += holder.Holds() - holds_before;
  const StartedContainer& container = started.front();
  absl::Duration in_execs;
  const uint64_t end =
      container.began_ns + static_cast<uint64_t>(absl::ToInt64Nanoseconds(container.took));
  for (const ExecTime& exec : Check(execs->Take())) {
    if (exec.start_ns >= container.began_ns && exec.start_ns <= end) in_execs += exec.took;
  }
  times->start.push_back(container.took);
  times->execs.push_back(in_execs);
  Check(RemoveContainers(engine, started, 1));
  times->daemon += holder.ProcessorTime() - daemon_before;
}

std::string Ms(absl::Duration duration) {
  return absl::StrFormat("%.2f", absl::ToDoubleMilliseconds(duration));
}

// The times of a start lie around two values some 8 ms apart, and the median anywhere between: this
// moves by as much as was added.
absl::Duration MeanOfTheMiddle(std::vector<absl::Duration> durations) {
  std::sort(durations.begin(), durations.end());
  const size_t cut = durations.size() / 10;
  absl::Duration sum;
  for (size_t i = cut; i < durations.size() - cut; ++i) sum += durations[i];
  return sum / static_cast<int64_t>(durations.size() - 2 * cut);
}

// One line for what `field` holds: not held and held, and what is added.
void Print(const std::string& what, const Times& free, const Times& held,
           std::vector<absl::Duration> Times::*field) {
  const absl::Duration free50 = Quantile(free.*field, 0.5), free99 = Quantile(free.*field, 0.99);
  const absl::Duration held50 = Quantile(held.*field, 0.5), held99 = Quantile(held.*field, 0.99);
  const absl::Duration free_mean = MeanOfTheMiddle(free.*field);
  const absl::Duration held_mean = MeanOfTheMiddle(held.*field);
  absl::PrintF("| %s | %s | %s | %s | %s | %s | %s | %s (x %.2f) | %s | %.1f | %s, %s |\n", what,
               Ms(free50), Ms(held50), Ms(free99), Ms(held99),
               Ms(Quantile(held.*field, 0.25) - Quantile(free.*field, 0.25)), Ms(held50 - free50),
               Ms(held_mean - free_mean), absl::FDivDuration(held_mean, free_mean),
               Ms(held99 - free99),
               static_cast<double>(held.holds) / static_cast<double>(held.start.size()),
               Ms(free.daemon / static_cast<int64_t>(free.start.size())),
               Ms(held.daemon / static_cast<int64_t>(held.start.size())));
}

// `roster`: nullptr for none.
void Holds(const Workspace& workspace, int starts, const RosterUnderTest* roster) {
  const auto other = Check(Workspace::Create());
  const auto execs = Check(ExecTimes::Attach());
  const Holder holder(roster);
  absl::PrintF(
      "\n| %d starts a line and side, ms%s | not held p50 | held p50 | not held p99 | held p99 | "
      "added p25 | added p50 | added mean of the middle 80%% | added p99 | holds a start | "
      "daemon's processor time, not held and held |\n| --- | --- | --- | --- | --- | --- | --- | "
      "--- | --- | --- | --- |\n",
      starts, roster == nullptr ? ", NO daemon: none is held" : "");
  for (const std::string& runtime : {std::string("runc"), std::string("crun")}) {
    std::string real = Check(RunForOutput({"sh", "-c", "command -v " + runtime}));
    absl::StripTrailingAsciiWhitespace(&real);
    // A file that is not root's is never taken for a runtime.
    const std::string copy = other->MakeDirectory("unmarked") + "/" + runtime;
    fs::copy_file(real, copy);
    if (::chown(copy.c_str(), 65534, 65534) != 0) Check(absl::InternalError("chown " + copy));
    OciEngine marked(real, workspace), unmarked(copy, *other);
    Check(marked.Start());
    Check(unmarked.Start());
    for (StartMode mode : {StartMode::kRun, StartMode::kCreateAndStart}) {
      Times held, free;
      for (int i = 0; i < starts; ++i) {
        // Who comes first changes, too.
        if (i % 2 == 0) StartOnce(&unmarked, mode, holder, execs.get(), &free);
        StartOnce(&marked, mode, holder, execs.get(), &held);
        if (i % 2 == 1) StartOnce(&unmarked, mode, holder, execs.get(), &free);
      }
      const std::string what =
          absl::StrCat(runtime, mode == StartMode::kRun ? " run" : " create + start");
      Print(what, free, held, &Times::start);
      Print(what + ": its execs alone", free, held, &Times::execs);
    }
    Check(marked.Stop());
    Check(unmarked.Stop());
  }
}

// What the kernel accounts to the maps pinned below `directory`.
int64_t MapBytes(const std::string& directory) {
  int64_t bytes = 0;
  std::error_code ignored;
  for (const auto& entry : fs::recursive_directory_iterator(directory, ignored)) {
    if (entry.is_directory()) continue;
    const Fd pin(bpf_obj_get(entry.path().c_str()));
    if (!pin.valid()) continue;
    const std::string info = absl::StrCat("/proc/self/fdinfo/", pin.get());
    if (absl::StrContains(ReadKernelFile(info), "map_type:")) bytes += Kilobytes(info, "memlock:");
  }
  return bytes;
}

// Of all children that have been waited for.
absl::Duration ChildrensProcessorTime() {
  rusage usage = {};
  getrusage(RUSAGE_CHILDREN, &usage);
  return absl::DurationFromTimeval(usage.ru_utime) + absl::DurationFromTimeval(usage.ru_stime);
}

absl::Duration StartAndTime(RosterUnderTest* roster) {
  const absl::Time begin = absl::Now();
  Check(roster->Start());
  return absl::Now() - begin;
}

void PrintMemory(const std::string& when, const RosterUnderTest& roster) {
  const std::string daemon = absl::StrCat("/proc/", roster.pid(), "/status");
  const std::string keeper = absl::StrCat("/proc/", ChildOf(roster.pid()), "/smaps_rollup");
  absl::PrintF("| %s | %.1f | %.1f | %.1f | %.2f |\n", when, Kilobytes(daemon, "VmRSS:") / 1024.0,
               Kilobytes(daemon, "RssAnon:") / 1024.0, Kilobytes(keeper, "Private_Dirty:") / 1024.0,
               MapBytes(roster.pin_directory()) / 1048576.0);
}

void TimeList(const RosterUnderTest& roster, int count) {
  constexpr int kTimes = 50;
  std::vector<absl::Duration> list;
  const absl::Duration before = ChildrensProcessorTime();
  for (int i = 0; i < kTimes; ++i) {
    const absl::Time begin = absl::Now();
    const CommandResult result = Check(roster.Call({"list", "--no-headers"}));
    list.push_back(absl::Now() - begin);
    if (std::count(result.out.begin(), result.out.end(), '\n') < count)
      Check(absl::InternalError("roster list: not all are listed"));
  }
  absl::PrintF(
      "`roster list` of %d containers, %d times: p50 %s ms, p99 %s ms; processor time %s ms each\n",
      count, kTimes, Ms(Quantile(list, 0.5)), Ms(Quantile(list, 0.99)),
      Ms((ChildrensProcessorTime() - before) / kTimes));
}

void Many(const Workspace& workspace, RosterUnderTest* roster, int count) {
  absl::PrintF(
      "\n| memory, MiB | daemon, resident | of that anonymous | its keeper, private | pinned maps "
      "|\n| --- | --- | --- | --- | --- |\n");
  PrintMemory("no containers", *roster);
  OciEngine crun("crun", workspace);
  Check(crun.Start());
  const auto containers =
      Check(StartContainers(&crun, StartMode::kRun, count, 4, "many", 0, nullptr));
  const auto all_are_listed = [&] {
    Check(roster->AwaitList("all containers", In(absl::Seconds(60)), [&](const auto& list) {
      return list.size() == static_cast<size_t>(count);
    }));
  };
  all_are_listed();
  PrintMemory(absl::StrCat(count, " containers, started under it"), *roster);
  Check(roster->Terminate());
  const absl::Duration start = StartAndTime(roster);
  all_are_listed();
  PrintMemory(absl::StrCat(count, " containers, found by it"), *roster);
  absl::PrintF(
      "\nstart of the daemon, from its exec to READY, with the pins and %d containers: %s ms\n",
      count, Ms(start));
  TimeList(*roster, count);
  Check(RemoveContainers(&crun, containers, 4));
  Check(crun.Stop());
}

void Main(int starts, int containers) {
  const auto workspace = Check(Workspace::Create());
  RosterUnderTest roster(*workspace);
  if (starts > 0) Holds(*workspace, starts, nullptr);
  absl::PrintF("\nstart of the daemon, from its exec to READY: %s ms\n", Ms(StartAndTime(&roster)));
  if (starts > 0) Holds(*workspace, starts, &roster);
  if (containers > 0) Many(*workspace, &roster, containers);
  Check(roster.Terminate());
}

}  // namespace
}  // namespace roster::testing

int main(int argc, char** argv) {
  int starts = 200, containers = 1000;
  if ((argc > 1 && !absl::SimpleAtoi(argv[1], &starts)) ||
      (argc > 2 && !absl::SimpleAtoi(argv[2], &containers)) || argc > 3 || starts < 0 ||
      containers < 0) {
    absl::FPrintF(stderr, "usage: hold_bench [STARTS [CONTAINERS]]\n");
    return 2;
  }
  roster::testing::Main(starts, containers);
  return 0;
}

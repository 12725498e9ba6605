// kernel_bench prints, as ratios measured in one run, what Roster's programs cost the machine:
//
//   kernel_bench [ROUNDS]     (root; 40 rounds by default)
//
//   - in-kernel look-ups against one bare hash look-up with the key at hand
//   - fork + exit, fork + exec, and getppid: nothing attached, Roster attached, argv capture
//   attached, taken in
//     turns so that a drift of the machine's speed touches all alike; medians over the rounds
//
// Uses a pin directory of its own, removed at the end.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "capture.skel.h"
#include "kernel/host.h"
#include "kernel/programs.h"
#include "mirror/mirror.h"
#include "process/namespace_ids.h"
#include "tracker/kernel_facts.h"

// The skeleton uses the struct.
// clang-format off
#include "lookup_bench_abi.h"
#include "lookup_bench.skel.h"
// clang-format on
#include "kernel/clock.h"

namespace roster {
namespace {

void Check(const absl::Status& status) {
  if (status.ok()) return;
  fprintf(stderr, "kernel_bench: %s\n", status.ToString().c_str());
  exit(1);
}

template <typename T>
T Check(absl::StatusOr<T> value) {
  Check(value.status());
  return *std::move(value);
}

double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

double Nanoseconds(int repeats, const std::function<void()>& work) {
  const uint64_t start = BootTimeNs();
  for (int i = 0; i < repeats; ++i) work();
  return static_cast<double>(BootTimeNs() - start) / repeats;
}

void ForkExit() {
  const pid_t pid = fork();
  if (pid == 0) _exit(0);
  waitpid(pid, nullptr, 0);
}

constexpr int kWords = 8;  // of a command line as people and scripts write them

// `words`: up to kWords.
void ForkExec(int words) {
  static char program[] = "true", word[] = "--with-a-word";
  const pid_t pid = vfork();
  if (pid == 0) {
    char* argv[kWords + 1] = {program};
    for (int i = 1; i < words; ++i) argv[i] = word;
    char* const envp[] = {nullptr};
    execve("/bin/true", argv, envp);
    _exit(127);
  }
  waitpid(pid, nullptr, 0);
}

void GetPpid() { syscall(SYS_getppid); }

// What the kernel itself measured of a program's runs (BPF_ENABLE_STATS), so far.
struct RunTime {
  double ns = 0;
  double runs = 0;
};

RunTime RunTimeOf(int program_fd) {
  struct bpf_prog_info info = {};
  uint32_t length = sizeof(info);
  bpf_obj_get_info_by_fd(program_fd, &info, &length);
  return {static_cast<double>(info.run_time_ns), static_cast<double>(info.run_cnt)};
}

// What the programs' runs take at an exec of /bin/true with so many words: the sum of their means.
double PerExec(const std::vector<int>& programs, int words) {
  // Counted here only, because it costs every program something.
  const Fd stats(bpf_enable_stats(BPF_STATS_RUN_TIME));
  if (!stats.valid()) {
    fprintf(stderr, "kernel_bench: the kernel counts no run times\n");
    exit(1);
  }
  std::vector<RunTime> before;
  for (const int program : programs) before.push_back(RunTimeOf(program));
  for (int i = 0; i < 200; ++i) ForkExec(words);
  double sum = 0;
  for (size_t i = 0; i < programs.size(); ++i) {
    const RunTime after = RunTimeOf(programs[i]);
    sum += (after.ns - before[i].ns) / (after.runs - before[i].runs);
  }
  return sum;
}

struct Costs {
  std::vector<double> fork, exec, getppid;
  // Run time of the programs at one exec, as the kernel measures it, by the number of words.
  std::map<int, std::vector<double>> runs;
  void Measure() {
    fork.push_back(Nanoseconds(100, ForkExit));
    exec.push_back(Nanoseconds(50, [] { ForkExec(kWords); }));
    getppid.push_back(Nanoseconds(100000, GetPpid));
  }
  void MeasurePrograms(const std::vector<int>& programs) {
    for (const int words : {1, 3, kWords}) runs[words].push_back(PerExec(programs, words));
  }
};

class Bench {
 public:
  Bench() : paths_(absl::StrCat(ROSTER_BPFFS "/roster-bench-", getpid(), "/v1")) {
    Check(MakePinDirectories(paths_));
    programs_ = Check(Programs::Load(paths_));
    mirror_ = std::make_unique<Mirror>(paths_, Check(PinnedMaps::Open(paths_)));
    mirror_->abi().Announce(Check(ReadHostIdentity()), getpid());
  }
  ~Bench() {
    mirror_.reset();
    programs_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(std::filesystem::path(paths_.root).parent_path(), ignored);
  }

  void LookUps(int rounds);
  void Tax(int rounds);

 private:
  void Detach() {
    for (const std::string& name : LinkNames()) unlink((paths_.links() + "/" + name).c_str());
  }
  PinPaths paths_;
  std::unique_ptr<Programs> programs_;
  std::unique_ptr<Mirror> mirror_;
};

// This process plays a container's init, among 1,000 containers, so that look-ups find something.
void Bench::LookUps(int rounds) {
  HostIdentity other = Check(ReadHostIdentity());
  other.mntns = 1;  // otherwise this process would be the host's
  mirror_->abi().Announce(other, getpid());
  Container self;
  self.runtime.container_id = "bench";
  const InitIdentity init = Check(ReadKernelFacts(getpid(), other, &self));
  self.handle = Check(mirror_->Adopt(self, init));
  for (uint64_t i = 0; i < 1000; ++i) {
    Container c;
    c.runtime.container_id = absl::StrCat("c", i);
    c.mntns = 5000000000 + i;
    Check(mirror_->Adopt(c, {.pid = 1}).status());
  }
  Check(programs_->AdoptTasks().status());

  LIBBPF_OPTS(bpf_object_open_opts, options, .pin_root_path = paths_.root.c_str());
  struct lookup_bench_bpf* skeleton = lookup_bench_bpf__open_opts(&options);
  if (skeleton == nullptr || lookup_bench_bpf__load(skeleton) != 0 ||
      lookup_bench_bpf__attach(skeleton) != 0) {
    fprintf(stderr, "kernel_bench: lookup_bench.bpf.c does not load\n");
    exit(1);
  }
  const int bare = bpf_map__fd(skeleton->maps.bare);
  for (uint64_t key = 1; key <= 1000; ++key) bpf_map_update_elem(bare, &key, &key, BPF_ANY);
  auto* bss = skeleton->bss;
  bss->bare_key = 500;
  bss->container_mntns = self.mntns;
  bss->container_handle = self.handle;
  bss->target_pid = static_cast<uint32_t>(getpid());
  std::vector<double> nothing, hash, current, task_mntns, mntns, handle;
  for (int i = 0; i < rounds * 5; ++i) {
    GetPpid();
    const bench_result& r = bss->result;
    nothing.push_back(static_cast<double>(r.nothing_ns) / BENCH_ROUNDS);
    hash.push_back(static_cast<double>(r.bare_ns - r.nothing_ns) / BENCH_ROUNDS);
    current.push_back(static_cast<double>(r.current_ns - r.nothing_ns) / BENCH_ROUNDS);
    task_mntns.push_back(static_cast<double>(r.task_mntns_ns - r.nothing_ns) / BENCH_ROUNDS);
    mntns.push_back(static_cast<double>(r.mntns_ns - r.nothing_ns) / BENCH_ROUNDS);
    handle.push_back(static_cast<double>(r.handle_ns - r.nothing_ns) / BENCH_ROUNDS);
  }
  if (bss->result.done == 0 || bss->result.found != ROSTER_BOUND) {
    fprintf(stderr, "kernel_bench: the look-ups found nothing: what they cost means nothing\n");
    exit(1);
  }
  lookup_bench_bpf__destroy(skeleton);
  const double base = Median(hash);
  printf(
      "| look-up in the kernel, 1,000 containers | ns | against a bare hash look-up |\n| --- | --- "
      "| --- |\n");
  const auto row = [base](const char* name, const std::vector<double>& v) {
    printf("| %s | %.1f | %.2f |\n", name, Median(v), Median(v) / base);
  };
  row("bare hash, key at hand", hash);
  row("roster_current(): task storage, slot, handle compared", current);
  row("roster_by_task_mntns(): namespace read, hash, slot, id compared", task_mntns);
  row("roster_by_mntns(), key at hand", mntns);
  row("roster_by_handle()", handle);
}

void Bench::Tax(int rounds) {
  mirror_->abi().Announce(Check(ReadHostIdentity()), getpid());
  Costs bare, roster, capture, nothing;
  for (int i = 0; i < rounds; ++i) {
    bare.Measure();
    Check(programs_->Attach());
    roster.Measure();
    {
      const Fd link(bpf_obj_get((paths_.links() + "/on_exec").c_str()));
      struct bpf_link_info info = {};
      uint32_t length = sizeof(info);
      bpf_obj_get_info_by_fd(link.get(), &info, &length);
      const Fd program(bpf_prog_get_fd_by_id(info.prog_id));
      roster.MeasurePrograms({program.get()});
    }
    Detach();
    struct capture_bpf* skeleton = capture_bpf__open_and_load();
    if (skeleton == nullptr) {
      fprintf(stderr, "kernel_bench: capture.bpf.c does not load\n");
      exit(1);
    }
    struct bpf_link* link = bpf_program__attach(skeleton->progs.do_nothing);
    if (link == nullptr) {
      fprintf(stderr, "kernel_bench: do_nothing is not attached\n");
      exit(1);
    }
    nothing.MeasurePrograms({bpf_program__fd(skeleton->progs.do_nothing)});
    bpf_link__destroy(link);
    bpf_program__set_autoattach(skeleton->progs.do_nothing, false);
    if (capture_bpf__attach(skeleton) != 0) {
      fprintf(stderr, "kernel_bench: capture.bpf.c is not attached (is tracefs mounted?)\n");
      exit(1);
    }
    capture.Measure();
    capture.MeasurePrograms({bpf_program__fd(skeleton->progs.on_execve),
                             bpf_program__fd(skeleton->progs.on_execve_done)});
    capture_bpf__destroy(skeleton);
  }
  printf(
      "\n| what a process pays | nothing attached, ns | Roster | argv captured at sys_enter_execve "
      "|\n"
      "| --- | --- | --- | --- |\n");
  const auto row = [](const char* name, std::vector<double> Costs::*field, const Costs& a,
                      const Costs& b, const Costs& c) {
    // The ratio of each round's neighbours: the machine's speed drifts between rounds, not within
    // one.
    std::vector<double> with, other;
    for (size_t i = 0; i < (a.*field).size(); ++i) {
      with.push_back((b.*field)[i] - (a.*field)[i]);
      other.push_back((c.*field)[i] - (a.*field)[i]);
    }
    const double base = Median(a.*field);
    printf("| %s | %.0f | %+.0f ns (x %.3f) | %+.0f ns (x %.3f) |\n", name, base, Median(with),
           1 + Median(with) / base, Median(other), 1 + Median(other) / base);
  };
  row("fork + exit + wait", &Costs::fork, bare, roster, capture);
  row("vfork + exec /bin/true + exit + wait", &Costs::exec, bare, roster, capture);
  row("getppid", &Costs::getppid, bare, roster, capture);
  printf(
      "\n| programs' runs at an exec that is no runtime's, ns, as the kernel measures them | "
      "Roster | "
      "capture, two programs | an empty program | without what an empty one takes |\n"
      "| --- | --- | --- | --- | --- |\n");
  for (const auto& [words, runs] : nothing.runs) {
    const double own = Median(runs);
    const double ours = Median(roster.runs[words]), theirs = Median(capture.runs[words]);
    printf("| %d words | %.0f | %.0f (1/%.1f) | %.0f | %.0f and %.0f (1/%.1f) |\n", words, ours,
           theirs, theirs / ours, own, ours - own, theirs - 2 * own,
           (theirs - 2 * own) / (ours - own));
  }
}

}  // namespace
}  // namespace roster

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? atoi(argv[1]) : 40;
  if (rounds < 1 || rounds > 10000) {
    fprintf(stderr, "kernel_bench: rounds \"%s\": 1 to 10000\n", argv[1]);
    return 2;
  }
  roster::Bench bench;
  bench.LookUps(rounds);
  bench.Tax(rounds);
  return 0;
}

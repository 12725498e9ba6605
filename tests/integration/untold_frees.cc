#include "integration/untold_frees.h"

#include <bpf/libbpf.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "kernel/errors.h"
#include "told_frees.skel.h"

namespace roster::testing {
namespace {

constexpr char kTracepoint[] = "/sys/kernel/tracing/events/sched/sched_process_free/id";

}  // namespace

absl::StatusOr<std::unique_ptr<UntoldFrees>> UntoldFrees::Begin() {
  perf_event_attr event = {};
  event.type = PERF_TYPE_TRACEPOINT;
  event.size = sizeof(event);
  std::ifstream file(kTracepoint);
  if (!(file >> event.config)) return absl::NotFoundError(absl::StrCat("read ", kTracepoint));
  std::unique_ptr<UntoldFrees> frees(new UntoldFrees);
  for (int cpu = 0; cpu < libbpf_num_possible_cpus(); ++cpu) {
    Fd counter(static_cast<int>(
        syscall(SYS_perf_event_open, &event, /*pid=*/-1, cpu, /*group=*/-1, PERF_FLAG_FD_CLOEXEC)));
    if (!counter.valid() && errno == ENODEV) continue;  // is off, so frees nothing
    if (!counter.valid()) return ErrnoStatus("open a perf event of", kTracepoint, errno);
    frees->counters_.push_back(std::move(counter));
  }
  frees->skeleton_ = told_frees_bpf::open_and_load();
  if (frees->skeleton_ == nullptr) return ErrnoStatus("load", "told_frees.bpf.c", errno);
  if (int error = told_frees_bpf::attach(frees->skeleton_); error != 0)
    return ErrnoStatus("attach", "told_frees.bpf.c", -error);
  frees->at_begin_ = frees->Difference();
  return frees;
}

UntoldFrees::~UntoldFrees() { told_frees_bpf::destroy(skeleton_); }

uint64_t UntoldFrees::Count() const { return Difference() - at_begin_; }

uint64_t UntoldFrees::Freed() const {
  uint64_t sum = 0;
  for (const Fd& counter : counters_) {
    uint64_t count = 0;
    if (read(counter.get(), &count, sizeof(count)) == sizeof(count)) sum += count;
  }
  return sum;
}

uint64_t UntoldFrees::Difference() const {
  for (;;) {
    const uint64_t freed = Freed();
    const uint64_t told = __atomic_load_n(&skeleton_->bss->told, __ATOMIC_RELAXED);
    if (Freed() == freed) return freed - told;
  }
}

}  // namespace roster::testing

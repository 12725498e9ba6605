// Can programs be attached to tracepoints with BTF, and is there a file system for their pins.
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "cli/doctor/check.h"
#include "kernel/fd.h"

namespace roster::cli {

Check CheckBpfFilesystem(const Paths& paths) {
  Check check{.name = "BPF file system"};
  // The pins' directory, or the first above it that exists.
  std::string path = paths.pin_dir;
  struct statfs status = {};
  while (statfs(path.c_str(), &status) != 0) {
    const size_t slash = path.rfind('/');
    if (errno != ENOENT || slash == std::string::npos || slash == 0) {
      check.verdict = Verdict::kFailure;
      check.detail = absl::StrCat(paths.pin_dir, ": ", strerror(errno));
      return check;
    }
    path.resize(slash);
  }
  if (status.f_type == BPF_FS_MAGIC) {
    check.detail = absl::StrCat("mounted at or above ", path);
    return check;
  }
  check.verdict = Verdict::kFailure;
  check.detail = absl::StrCat(paths.pin_dir, " is not on a BPF file system");
  check.advice = "mount -t bpf bpf /sys/fs/bpf";
  return check;
}

Check CheckTracingPrograms() {
  Check check{.name = "tracing programs"};
  static constexpr const char* kTracepoints[] = {"sched_process_exec", "sched_process_fork",
                                                 "sched_process_exit", "sched_process_free",
                                                 "cgroup_mkdir"};
  libbpf_set_print([](libbpf_print_level, const char*, va_list) { return 0; });
  for (const char* tracepoint : kTracepoints) {
    const int id = libbpf_find_vmlinux_btf_id(tracepoint, BPF_TRACE_RAW_TP);
    if (id <= 0) {
      check.verdict = Verdict::kFailure;
      check.detail = absl::StrCat("the kernel's BTF has no tracepoint ", tracepoint);
      check.advice = "see the checks of the kernel and of BTF";
      return check;
    }
    // r0 = 0; exit
    const bpf_insn code[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0},
        {.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
    LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_RAW_TP,
                .attach_btf_id = static_cast<uint32_t>(id));
    const Fd program(
        bpf_prog_load(BPF_PROG_TYPE_TRACING, "roster_doctor", "GPL", code, 2, &options));
    if (!program.valid()) {
      const int error = errno;
      check.verdict = Verdict::kFailure;
      check.detail = absl::StrCat("tp_btf/", tracepoint, " cannot be loaded: ", strerror(error));
      check.advice =
          error == EPERM
              ? "run as root; is the kernel locked down (cat /sys/kernel/security/lockdown)?"
              : "use a kernel with CONFIG_BPF_SYSCALL, CONFIG_BPF_JIT and CONFIG_DEBUG_INFO_BTF";
      return check;
    }
  }
  check.detail = "tp_btf programs load";
  return check;
}

}  // namespace roster::cli

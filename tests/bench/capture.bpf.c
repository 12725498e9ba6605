// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The alternative that Roster's hook is measured against: every exec's arguments, captured at
 * sys_enter_execve into a map, 20 words of 256 bytes, as tools do that have no hold to read them
 * in.
 */
/* The order matters: the helpers need the types. */
/* clang-format off */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
/* clang-format on */

#define WORDS 20
#define BYTES 256

struct args {
  __u32 count;
  char word[WORDS][BYTES];
};

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 128);
  __type(key, __u32);
  __type(value, struct args);
} captured SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct args);
} scratch SEC(".maps");

struct execve_enter {
  __u64 common;
  long nr;
  const char* filename;
  const char* const* argv;
  const char* const* envp;
};

SEC("tracepoint/syscalls/sys_enter_execve")
int on_execve(struct execve_enter* ctx) {
  __u32 zero = 0, tid = (__u32)bpf_get_current_pid_tgid();
  struct args* a = bpf_map_lookup_elem(&scratch, &zero);
  int i;

  if (!a) return 0;
  a->count = 0;
  for (i = 0; i < WORDS; i++) {
    const char* word = NULL;

    if (bpf_probe_read_user(&word, sizeof(word), &ctx->argv[i]) || !word) break;
    bpf_probe_read_user_str(a->word[i], BYTES, word);
    a->count++;
  }
  bpf_map_update_elem(&captured, &tid, a, BPF_ANY);
  return 0;
}

SEC("tracepoint/syscalls/sys_exit_execve")
int on_execve_done(void* ctx) {
  __u32 tid = (__u32)bpf_get_current_pid_tgid();

  bpf_map_delete_elem(&captured, &tid);
  return 0;
}

/* What the kernel's own measuring of a run costs. */
SEC("tp_btf/sched_process_exec")
int do_nothing(void* ctx) { return 0; }

char LICENSE[] SEC("license") = "Dual BSD/GPL";

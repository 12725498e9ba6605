// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What a look-up costs in the kernel: each kind in a loop, timed, at a system call that the bench
 * makes. The alternatives run in the same program, one after another.
 */
/* The order matters: the helpers need the types. */
/* clang-format off */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "roster.bpf.h"
#include "lookup_bench_abi.h"
/* clang-format on */

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, ROSTER_MAX_IDENTITIES);
  __type(key, __u64);
  __type(value, __u64);
} bare SEC(".maps");

struct pt_regs;

__u32 target_pid;
__u64 bare_key; /* present in the map */
__u64 container_mntns;
__u64 container_handle;
struct bench_result result;
__u64 sink;

/* One loop body a kind; bpf_loop keeps the verifier from walking every round. */
#define LOOP(name, expression)                          \
  static long name##_round(__u32 round, void* unused) { \
    sink += (__u64)(expression);                        \
    return 0;                                           \
  }                                                     \
  static __noinline __u64 name##_time(void) {           \
    __u64 start = bpf_ktime_get_ns();                   \
                                                        \
    bpf_loop(BENCH_ROUNDS, name##_round, NULL, 0);      \
    return bpf_ktime_get_ns() - start;                  \
  }

static __always_inline __u64 nothing(void) { return bare_key; }

static __always_inline __u64 bare_hash(void) {
  __u64 key = bare_key;
  __u64* value = bpf_map_lookup_elem(&bare, &key);

  return value ? *value : 0;
}

static __always_inline __u64 state_of(struct roster_membership* m) { return m ? m->state : 0; }

LOOP(nothing, nothing())
LOOP(bare, bare_hash())
LOOP(current, state_of(roster_current()))
LOOP(task_mntns, state_of(roster_by_task_mntns((void*)bpf_get_current_task_btf())))
LOOP(mntns, state_of(roster_by_mntns(container_mntns, 0)))
LOOP(handle, state_of(roster_by_handle(container_handle)))

SEC("tp_btf/sys_enter")
int on_sys_enter(__u64* ctx) {
  if ((__u32)(bpf_get_current_pid_tgid() >> 32) != target_pid || ctx[1] != BENCH_SYSCALL) return 0;
  result.nothing_ns = nothing_time();
  result.bare_ns = bare_time();
  result.current_ns = current_time();
  result.task_mntns_ns = task_mntns_time();
  result.mntns_ns = mntns_time();
  result.handle_ns = handle_time();
  result.found = state_of(roster_current());
  result.done++;
  return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";

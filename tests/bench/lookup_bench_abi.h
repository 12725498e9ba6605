/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What lookup_bench.bpf.c hands to lookup_bench.cc. */
#ifndef ROSTER_TESTS_BENCH_LOOKUP_BENCH_ABI_H
#define ROSTER_TESTS_BENCH_LOOKUP_BENCH_ABI_H

#include <linux/types.h>

#define BENCH_ROUNDS 1000
#define BENCH_SYSCALL 110 /* getppid on x86_64 */

struct bench_result {
  __u64 nothing_ns; /* of BENCH_ROUNDS rounds */
  __u64 bare_ns;
  __u64 current_ns;
  __u64 task_mntns_ns;
  __u64 mntns_ns;
  __u64 handle_ns;
  __u64 found; /* state that roster_current found */
  __u64 done;
};

#endif

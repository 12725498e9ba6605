/* What exec_times.bpf.c reports of a runtime's exec. The tests' own: nothing of Roster's. */
#ifndef ROSTER_TESTS_EXEC_TIMES_ABI_H
#define ROSTER_TESTS_EXEC_TIMES_ABI_H

#include <linux/types.h>

struct exec_time {
	char comm[16];
	__u64 start_ns; /* CLOCK_MONOTONIC at the system call's entry */
	__u64 took_ns;	/* until sched_process_exec */
};

#endif /* ROSTER_TESTS_EXEC_TIMES_ABI_H */

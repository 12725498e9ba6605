/*
 * What an observer reports of the first system call of a container's process. The tests' own:
 * nothing of Roster's.
 */
#ifndef ROSTER_TESTS_FIRST_CALL_ABI_H
#define ROSTER_TESTS_FIRST_CALL_ABI_H

#include <linux/types.h>

/* What one look-up found. */
struct first_call_found {
	__u64 handle; /* 0: a miss */
	__u32 state;  /* enum roster_state */
	__u32 flags;  /* ROSTER_F_* */
	char runtime[16];
	char id[80]; /* of the record; empty where there is none */
	char name[64];
};

enum first_call_way {
	FIRST_CALL_TASK,
	FIRST_CALL_MNTNS,
	FIRST_CALL_CGROUP,
	FIRST_CALL_WAYS,
};

struct first_call {
	char comm[16]; /* the marker: "rc7" */
	__u32 pid;
	__u32 system_call;
	__u64 exec_ns; /* CLOCK_MONOTONIC at the exec */
	__u64 call_ns; /* and at its first system call */
	__u64 mntns;
	__u64 cgroup_id;
	struct first_call_found found[FIRST_CALL_WAYS];
};

#endif /* ROSTER_TESTS_FIRST_CALL_ABI_H */

/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What held_call.bpf.c answers; between it and userspace/kernel/held_calls.cc alone. */
#ifndef ROSTER_HELD_CALL_ABI_H
#define ROSTER_HELD_CALL_ABI_H

#include <linux/types.h>

struct roster_held_call {
	__u64 number; /* of the system call, as the task's own architecture counts them */
	__u64 args[3];
};

#endif /* ROSTER_HELD_CALL_ABI_H */

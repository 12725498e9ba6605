// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* Fills the kernel hook's ring buffer with messages of no type, so that the next ones are lost. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "lineage_abi.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, ROSTER_EVENT_BYTES);
} roster_events SEC(".maps");

__u64 written;

static long write_one(__u32 n, void *unused)
{
	struct roster_event event = {};

	if (bpf_ringbuf_output(&roster_events, &event, sizeof(event), 0))
		return 1;
	written++;
	return 0;
}

SEC("syscall")
int fill(void *context)
{
	bpf_loop(ROSTER_EVENT_BYTES / sizeof(struct roster_event), write_one, NULL, 0);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";

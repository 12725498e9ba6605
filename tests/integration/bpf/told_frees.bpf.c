/* Counts the freed tasks that a BPF program is told of. */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

__u64 told;

SEC("tp_btf/sched_process_free")
int on_free(void *ctx)
{
	__sync_fetch_and_add(&told, 1);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/*
 * Times every execve of a container runtime, from the system call's entry to the exec: how long a
 * runtime was held, seen from outside.
 */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "exec_times_abi.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct task_struct {
	int pid;
	char comm[16];
};
#pragma clang attribute pop

/* Thread id -> when its execve began. One that fails leaves its entry to the next. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, __u64);
} began SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1024 * 1024);
} execs SEC(".maps");

/* Execs that found the ring buffer full. */
__u64 lost;

static __always_inline int begin(void)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	__u64 now = bpf_ktime_get_ns();

	bpf_map_update_elem(&began, &tid, &now, BPF_ANY);
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_execve")
int on_execve(void *ctx)
{
	return begin();
}

SEC("tracepoint/syscalls/sys_enter_execveat")
int on_execveat(void *ctx)
{
	return begin();
}

static __always_inline int is_runtime(const char *comm)
{
	return !bpf_strncmp(comm, 5, "runc") || !bpf_strncmp(comm, 5, "crun") ||
	       !bpf_strncmp(comm, 7, "conmon");
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid)
{
	__u32 tid = (__u32)old_pid;
	__u64 *start = bpf_map_lookup_elem(&began, &tid);
	char comm[16] = {};
	struct exec_time *e;

	bpf_get_current_comm(comm, sizeof(comm));
	if (!start || !is_runtime(comm))
		return 0;
	e = bpf_ringbuf_reserve(&execs, sizeof(*e), 0);
	if (!e) {
		__sync_fetch_and_add(&lost, 1);
		return 0;
	}
	__builtin_memcpy(e->comm, comm, sizeof(comm));
	e->start_ns = *start;
	e->took_ns = bpf_ktime_get_ns() - *start;
	bpf_ringbuf_submit(e, 0);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/*
 * Reports the first system call after the exec of each container's process that runs a marker (comm
 * "rc" and a number). Which process that is depends on nothing of Roster: the marker, and a mount
 * namespace that is not the host's. A source that includes this file defines look_up(), which fills
 * in what was found.
 */
#ifndef ROSTER_TESTS_FIRST_CALL_BPF_H
#define ROSTER_TESTS_FIRST_CALL_BPF_H

#include "first_call_abi.h"

/* The kernel types that an observer reads. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct ns_common {
	unsigned int inum;
};
struct mnt_namespace {
	struct ns_common ns;
};
struct nsproxy {
	struct mnt_namespace *mnt_ns;
};
struct kernfs_node {
	__u64 id;
};
struct cgroup {
	struct kernfs_node *kn;
};
struct cgroup_subsys_state {
	struct cgroup *cgroup;
};
struct css_set {
	struct cgroup_subsys_state *subsys[16];
};
struct task_struct {
	int tgid;
	struct nsproxy *nsproxy;
	struct css_set *cgroups;
};
#pragma clang attribute pop

const volatile __u64 host_mntns = 0;

/* Processes that have exec'ed a marker and made no system call yet: as many as start at one time,
 * generously. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, __u64);
} watched SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 * 1024 * 1024);
} calls SEC(".maps");

/* Calls that found the ring buffer full: the test fails on them. */
__u64 lost;

static void look_up(struct task_struct *task, struct first_call *call);

static __always_inline __u64 mntns_of(struct task_struct *task)
{
	struct nsproxy *nsproxy = task->nsproxy;

	return nsproxy ? nsproxy->mnt_ns->ns.inum : 0;
}

/* The id of the task's cgroup: in the default hierarchy, or in that of kernel subsystem `source`
 * - 1. */
static __always_inline __u64 cgroup_of(struct task_struct *task, __u32 source)
{
	struct cgroup_subsys_state *css = NULL;
	struct css_set *set;

	if (!source)
		return bpf_get_current_cgroup_id();
	set = task->cgroups;
	bpf_core_read(&css, sizeof(css), &set->subsys[(source - 1) & 15]);
	return css ? BPF_CORE_READ(css, cgroup, kn, id) : 0;
}

static __always_inline int is_marker(const char *comm)
{
	return comm[0] == 'r' && comm[1] == 'c' && comm[2] >= '0' && comm[2] <= '9';
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task)
{
	char comm[16] = {};
	__u32 pid = task->tgid;
	__u64 now = bpf_ktime_get_ns();

	bpf_get_current_comm(comm, sizeof(comm));
	if (is_marker(comm) && mntns_of(task) != host_mntns)
		bpf_map_update_elem(&watched, &pid, &now, BPF_ANY);
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(on_call, void *regs, long number)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	__u64 *exec_ns = bpf_map_lookup_elem(&watched, &pid);
	struct first_call *call;

	if (!exec_ns)
		return 0;
	call = bpf_ringbuf_reserve(&calls, sizeof(*call), 0);
	if (!call) {
		__sync_fetch_and_add(&lost, 1);
		return 0;
	}
	__builtin_memset(call, 0, sizeof(*call));
	bpf_get_current_comm(call->comm, sizeof(call->comm));
	call->pid = pid;
	call->system_call = number;
	call->exec_ns = *exec_ns;
	call->call_ns = bpf_ktime_get_ns();
	call->mntns = mntns_of(task);
	look_up(task, call);
	bpf_map_delete_elem(&watched, &pid);
	bpf_ringbuf_submit(call, 0);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#endif /* ROSTER_TESTS_FIRST_CALL_BPF_H */

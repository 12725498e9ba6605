// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Adoption: enters tasks that already run into the lineage of containers whose slots userspace has
 * filled. An iterator, run by the daemon at its start until a run enters nobody; the programs of
 * lifecycle.bpf.c are attached before, so that what is born meanwhile inherits.
 */
#include "lineage.bpf.h"

__u64 entered; /* tasks entered by this run */

/* By mount namespace, when the task is in the container's pid namespace too, else by cgroup. */
static __always_inline __u64 container_of_task(struct task_struct *task, struct roster_hot *h)
{
	__u64 mntns = mntns_of(task);
	__u64 cgroup = cgroup_id_of(task, h->cgroup_source);
	struct roster_membership *m = NULL;
	__u64 pidns;

	pid_in_own_namespace(task, &pidns);
	if (mntns && mntns != h->host_mntns)
		m = roster_by_mntns(mntns, mntns_id_of(task));
	if (m &&
	    (m->init_pid == (__u32)task->tgid || (m->pid_ns == pidns && pidns != h->host_pidns)))
		return m->handle;
	m = roster_by_cgroup(cgroup);
	return m ? m->handle : 0;
}

SEC("iter/task")
int adopt_task(struct bpf_iter__task___roster *ctx)
{
	struct task_struct *task = ctx->task;
	struct roster_hot *h = hot();
	struct roster_lineage *l;
	struct roster_membership *m;
	__u64 handle;

	if (!task || !h || (task->flags & PF_EXITING))
		return 0;
	l = lineage_of(task);
	if (l && l->member && roster_by_handle(l->member))
		return 0;
	handle = container_of_task(task, h);
	m = roster_by_handle(handle);
	if (!m || m->state != ROSTER_BOUND || !has_room(handle))
		return 0;
	l = make_lineage(task);
	if (!l || l->pending)
		return 0;
	become_member(task, l, handle);
	__sync_fetch_and_add(&entered, 1);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";

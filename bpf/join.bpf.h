/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Joining: a task that was not born in a container becomes its member. */
#ifndef ROSTER_JOIN_BPF_H
#define ROSTER_JOIN_BPF_H

#include "lineage.bpf.h"

/* The task has entered, unannounced, the mount namespace of a container that is known. */
static __always_inline _Bool join_known(struct task_struct *task, struct roster_hot *h, __u64 mntns)
{
	struct roster_membership *m = roster_by_mntns(mntns, mntns_id_of(task));
	struct roster_lineage *l;
	__u64 pidns;

	if (!m)
		return 0;
	pid_in_own_namespace(task, &pidns);
	if (pidns != m->pid_ns || pidns == h->host_pidns)
		return 1; /* nsenter and the like: in the namespace, not of the container */
	l = lineage_of(task);
	if ((l && l->member) || !has_room(m->handle))
		return 1;
	l = make_lineage(task);
	if (!l)
		return 1;
	become_member(task, l, m->handle);
	roster_count(ROSTER_STAT_JOINED);
	return 1;
}

#endif /* ROSTER_JOIN_BPF_H */

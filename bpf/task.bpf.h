/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What is read of a task: its namespaces, its cgroup, its place in its pid namespace. */
#ifndef ROSTER_TASK_BPF_H
#define ROSTER_TASK_BPF_H

#include "kernel_types.bpf.h"
#include "lineage_abi.h"

#define PF_EXITING 0x00000004

static __always_inline __u64 mntns_of(struct task_struct *task)
{
	struct nsproxy *ns = task->nsproxy;

	return ns ? ns->mnt_ns->ns.inum : 0;
}

/*
 * The id that the kernel never uses again: mnt_namespace.seq up to 6.17, ns_common.ns_id in 6.18,
 * inside ns_tree from 7.0 on; 0 where there is none.
 */
static __always_inline __u64 mntns_id_of(struct task_struct *task)
{
	struct mnt_namespace *ns = task->nsproxy->mnt_ns;
	struct mnt_namespace___seq *old = (void *)ns;
	struct mnt_namespace___id *id = (void *)ns;
	struct mnt_namespace___tree *tree = (void *)ns;

	if (bpf_core_field_exists(id->ns.ns_id))
		return id->ns.ns_id;
	if (bpf_core_field_exists(tree->ns.ns_tree.ns_id))
		return tree->ns.ns_tree.ns_id;
	if (bpf_core_field_exists(old->seq))
		return old->seq;
	return 0;
}

/* The task's id in its innermost pid namespace, and that namespace's inode number. */
static __always_inline int pid_in_own_namespace(struct task_struct *task, __u64 *pidns)
{
	struct pid_namespace *ns = NULL;
	struct pid *pid = NULL;
	struct upid *upid;
	__u32 level = 0;
	int nr = 0;

	*pidns = 0;
	/* Read, not loaded: 6.1 allows no arithmetic with a variable on a pointer that it knows. */
	bpf_core_read(&pid, sizeof(pid), &task->thread_pid);
	if (!pid)
		return 0;
	bpf_core_read(&level, sizeof(level), &pid->level);
	upid = (void *)pid + bpf_core_field_offset(pid->numbers) +
	       (level & 31) * bpf_core_type_size(struct upid);
	bpf_core_read(&nr, sizeof(nr), &upid->nr);
	bpf_core_read(&ns, sizeof(ns), &upid->ns);
	if (ns)
		*pidns = BPF_CORE_READ(ns, ns.inum);
	return nr;
}

/* The cgroup whose id Roster uses: of the default hierarchy, or of one v1 subsystem's. */
static __always_inline __u64 cgroup_id_of(struct task_struct *task, __u32 source)
{
	struct css_set *set = task->cgroups;
	struct cgroup_subsys_state *css;

	if (source == ROSTER_CGROUP_DEFAULT)
		return set->dfl_cgrp->kn->id;
	bpf_core_read(&css, sizeof(css), &set->subsys[(source - 1) & 15]);
	return BPF_CORE_READ(css, cgroup, kn, id);
}

/*
 * Only root's containers count: the user namespace is the host's or was made by the host's root.
 * Otherwise anybody could enter himself into the roll by `unshare`.
 */
static __always_inline _Bool made_by_root(struct task_struct *task)
{
	struct user_namespace *ns = task->real_cred->user_ns;

	return ns->level == 0 || ns->owner.val == 0;
}

#endif /* ROSTER_TASK_BPF_H */

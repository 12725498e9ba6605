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

/* As runtimes do that execute themselves again to become the container. */
static __always_inline _Bool runs_parents_file(struct task_struct *task)
{
	struct inode *own = BPF_CORE_READ(task, mm, exe_file, f_inode);

	return own && own == BPF_CORE_READ(task, real_parent, mm, exe_file, f_inode);
}

/* Whether the task, which has just executed, has been given `word`, of `size` bytes, as argv[0]. */
static __always_inline _Bool is_called(struct task_struct *task, const char *word,
				       unsigned int size)
{
	struct mm_struct *mm = task->mm;
	char name[16] = {};

	if (!mm || bpf_probe_read_user(name, size, (void *)mm->arg_start))
		return 0;
	for (unsigned int i = 0; i < size; i++)
		if (name[i] != word[i])
			return 0;
	return 1;
}

/*
 * gVisor's two: the gofer, which serves the container's files from a mount and a pid namespace of
 * its own, and after it the sandbox, which is the container's init. Both run runsc's own file,
 * under "exe" as their comm; argv[0] alone tells them apart.
 */
static __always_inline _Bool is_gofer(struct task_struct *task)
{
	const char word[] = "runsc-gofer";

	return is_called(task, word, sizeof(word));
}

static __always_inline _Bool is_sandbox(struct task_struct *task)
{
	const char word[] = "runsc-sandbox";

	return is_called(task, word, sizeof(word));
}

#endif /* ROSTER_TASK_BPF_H */

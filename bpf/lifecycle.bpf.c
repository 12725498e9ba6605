// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The kernel hook: follows tasks through exec, fork, exit and their freeing, so that a container's
 * init, and all that descends from it, is known before its first instruction in the container.
 *
 *	exec	takes an armed handle; a pending one is bound when the task has entered the
 *		container's mount namespace; a task that enters a known container joins it; one
 *		that nobody announced gets a provisional membership
 *	fork	the child carries what its parent carries
 *	exit	marks the container exiting when its init goes, ended when its last task goes
 *	free	takes the identities back when nothing of the container can make an event any more
 *
 * tp_btf only: no fentry, kprobe or LSM. A fork or exit outside every container costs one hash
 * look-up, an exec on the host not even that while no container is being made.
 */
#include "bind.bpf.h"
#include "join.bpf.h"

static __always_inline __u64 parent_mntns(struct task_struct *task)
{
	struct task_struct *parent = task->real_parent;
	struct nsproxy *ns = parent->nsproxy;

	return ns ? ns->mnt_ns->ns.inum : 0;
}

static __always_inline _Bool is_runtime(struct roster_hot *h, struct inode *inode)
{
	__u64 ino = inode->i_ino;
	__u64 *held;

	if (!(h->runtime_filter[(ino / 64) % 4] & (1ULL << (ino % 64))))
		return 0;
	held = bpf_map_lookup_elem(&roster_runtime, &ino);
	return held && (!*held || *held == inode->i_sb->s_dev);
}

/* The task carries a pending handle and has just executed `file`: is it the container's init? */
static __noinline void settle_pending(struct task_struct *task, struct roster_lineage *l,
				      __u64 mntns, struct inode *inode)
{
	struct roster_hot *h = hot();
	__u32 slot = ROSTER_HANDLE_SLOT(l->pending);
	struct roster_membership *m = bpf_map_lookup_elem(&roster_slot, &slot);
	struct roster_birth *b = bpf_map_lookup_elem(&roster_birth, &slot);
	struct roster_membership *target;

	if (!h || !m || !b)
		return;
	if (m->handle != l->pending || m->state != ROSTER_PENDING) {
		drop_pending(l, task->tgid);
		return;
	}
	if (mntns == b->from_mntns) {
		/* The runtime again (a memfd has no links), or a hook that it runs on the host. */
		if (b->leader != (__u64)task && inode->i_nlink && inode->i_ino != b->exe_ino)
			drop_pending(l, task->tgid);
		return;
	}
	if (m->flags & ROSTER_F_JOIN) {
		target = roster_by_handle(m->parent);
		if (target && target->mntns == mntns) {
			become_member(task, l, m->parent);
			roster_count(ROSTER_STAT_JOINED);
			drop_pending(l, task->tgid);
			return;
		}
		/* Another of the same id was meant, or it has ended meanwhile. */
		drop_pending(l, task->tgid);
		join_known(task, h, mntns);
		return;
	}
	if (inode->i_ino == b->exe_ino && is_gofer(task)) {
		become_member(task, l, m->handle);
		drop_pending(l, task->tgid);
		return;
	}
	if (parent_mntns(task) == mntns) {
		/* A hook inside the container, run by the runtime's init stage. */
		if (!m->mntns)
			bind_identities(task, m, b, h, mntns);
		become_member(task, l, m->handle);
		drop_pending(l, task->tgid);
		return;
	}
	if (__sync_val_compare_and_swap(&m->state, ROSTER_PENDING, ROSTER_BOUND) ==
	    ROSTER_PENDING) {
		bind_init(task, l, m, b, h, mntns);
		roster_count(ROSTER_STAT_BOUND);
		tell(ROSTER_EV_BOUND, m->handle, task->tgid);
	}
	drop_pending(l, task->tgid);
}

/* A container that nobody announced: an unknown runtime, an expired hold, no daemon. */
static __noinline void provisional(struct task_struct *task, __u64 mntns, __u32 from_runtime)
{
	struct roster_hot *h = hot();
	struct roster_lineage *l;
	struct roster_membership *m;
	struct roster_birth *b;
	__u64 handle, pidns;
	_Bool again;
	__u32 slot;
	int nr;

	if (!h || join_known(task, h, mntns))
		return;
	if (parent_mntns(task) == mntns)
		return;
	nr = pid_in_own_namespace(task, &pidns);
	again = runs_parents_file(task);
	if (!(nr == 1 && pidns != h->host_pidns) && !from_runtime && !(again && is_sandbox(task)))
		return;
	if (!made_by_root(task) || (again && is_gofer(task)))
		return;
	l = make_lineage(task);
	if (!l || l->member)
		return;
	handle = reserve_slot(h);
	slot = ROSTER_HANDLE_SLOT(handle);
	m = bpf_map_lookup_elem(&roster_slot, &slot);
	b = bpf_map_lookup_elem(&roster_birth, &slot);
	if (!handle || !m || !b)
		return;
	b->from_cgroup = cgroup_id_of(task->real_parent, h->cgroup_source);
	m->flags = ROSTER_F_PROVISIONAL;
	m->handle = handle;
	__sync_lock_test_and_set(&m->state, ROSTER_BOUND);
	bind_init(task, l, m, b, h, mntns);
	roster_count(ROSTER_STAT_PROVISIONAL);
	tell(ROSTER_EV_PROVISIONAL, handle, task->tgid);
}

/* The held runtime's exec has happened: from here its descendants carry the handle. */
static __noinline void carry(struct task_struct *task, __u64 handle, __u64 mntns, __u64 ino)
{
	struct roster_hot *h = hot();
	struct roster_birth *b = birth_of(handle);
	struct roster_lineage *l;

	if (!h || !b)
		return;
	l = !b->exe_ino || b->exe_ino == ino ? make_lineage(task) : NULL;
	if (!l) {
		put_pending(handle, task->tgid);
		return;
	}
	drop_pending(l, task->tgid);
	/* Userspace cannot tell it for a file on overlayfs, where stat's number is another one. */
	b->exe_ino = ino;
	b->from_mntns = mntns;
	b->from_netns = task->nsproxy->net_ns->ns.inum;
	b->from_cgroup = cgroup_id_of(task, h->cgroup_source);
	b->leader = (__u64)task;
	l->pending = handle;
	note_carrier(l);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	struct inode *inode = bprm->file->f_inode;
	struct roster_hot *h = hot();
	struct roster_lineage *l;
	__u64 mntns = mntns_of(task);
	__u32 flags = 0;
	__u64 handle;
	_Bool runtime;

	if (!h || !h->host_mntns)
		return 0;
	runtime = is_runtime(h, inode);
	if (mntns == h->host_mntns && !runtime && !h->armed && !h->carriers)
		return 0;
	handle = take_armed(h, old_pid);
	l = lineage_of(task);
	if (l)
		flags = l->flags & ROSTER_L_RUNTIME;
	if (l && l->pending)
		settle_pending(task, l, mntns, inode);
	else if (mntns != h->host_mntns && !handle && !(l && l->member))
		provisional(task, mntns, flags && inode->i_nlink && !runtime);
	if (handle)
		carry(task, handle, mntns, inode->i_ino);
	if (runtime && !flags) {
		l = make_lineage(task);
		if (l) {
			l->flags |= ROSTER_L_RUNTIME;
			note_carrier(l);
		}
	} else if (l && flags && !runtime && inode->i_nlink) {
		l->flags &= ~ROSTER_L_RUNTIME;
		note_carrier(l);
	}
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	struct roster_lineage *l = lineage_of(parent);
	struct roster_lineage fresh = {};
	struct roster_membership *m;
	struct roster_birth *b;

	if (!l)
		return 0;
	fresh.flags = l->flags & ROSTER_L_RUNTIME;
	if (l->pending) {
		m = roster_by_handle(l->pending);
		if (m && m->state == ROSTER_PENDING)
			fresh.pending = l->pending;
		else
			drop_pending(l, parent->tgid);
	}
	if (l->member && roster_by_handle(l->member))
		fresh.member = l->member;
	if (fresh.member && !has_room(fresh.member))
		fresh.member = 0;
	if (!fresh.pending && !fresh.member && !fresh.flags)
		return 0;
	if (!enter_lineage((__u64)child, &fresh, child->tgid))
		return 0; /* by the programs of another generation, or the task iterator */
	l = lineage_of(child);
	if (l)
		note_carrier(l);
	b = fresh.pending ? birth_of(fresh.pending) : NULL;
	if (b)
		__sync_fetch_and_add(&b->npending, 1);
	b = fresh.member ? birth_of(fresh.member) : NULL;
	if (b) {
		__sync_fetch_and_add(&b->nlive, 1);
		__sync_fetch_and_add(&b->ntasks, 1);
		publish_task(child, fresh.member);
	}
	return 0;
}

/* A member has exited: is its container exiting, or ended? */
static __noinline void member_exited(struct task_struct *task, __u64 handle)
{
	struct roster_membership *m = roster_by_handle(handle);
	struct roster_birth *b = birth_of(handle);
	struct signal_struct *signal = task->signal;

	if (!m || !b)
		return;
	if (m->init_pid == (__u32)task->tgid && signal->live.counter == 0 &&
	    __sync_val_compare_and_swap(&m->state, ROSTER_BOUND, ROSTER_EXITING) == ROSTER_BOUND)
		mark_changed();
	if (__sync_fetch_and_add(&b->nlive, -1) == 1 &&
	    __sync_val_compare_and_swap(&m->state, ROSTER_EXITING, ROSTER_ENDED) ==
		ROSTER_EXITING) {
		roster_count(ROSTER_STAT_ENDED);
		mark_changed();
		tell(ROSTER_EV_ENDED, handle, task->tgid);
	}
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	struct roster_hot *h = hot();
	struct roster_lineage *l;
	__u64 handle;

	if (!h)
		return 0;
	handle = take_armed(h, task->pid);
	if (handle)
		put_pending(handle, task->tgid);
	l = lineage_of(task);
	if (!l || __sync_val_compare_and_swap(&l->exited, ROSTER_ALIVE, ROSTER_EXITED))
		return 0;
	/* It will not execute or fork; and of its freeing the kernel may not tell. */
	l->flags &= ~ROSTER_L_RUNTIME;
	drop_pending(l, task->tgid);
	if (l->member)
		member_exited(task, l->member);
	return 0;
}

SEC("tp_btf/sched_process_free")
int BPF_PROG(on_free, struct task_struct *task)
{
	__u64 key = (__u64)task;
	struct roster_lineage *l = bpf_map_lookup_elem(&roster_lineage, &key);

	if (!l)
		return 0; /* nearly all tasks of a host */
	/* Entered by the task iterator while it was exiting. */
	if (!__sync_val_compare_and_swap(&l->exited, ROSTER_ALIVE, ROSTER_EXITED) && l->member)
		member_exited(task, l->member);
	bury(key, task->tgid);
	/* May fail: from 6.15 on a map's lock gives up after a while. The entry says that it is
	 * void. */
	bpf_map_delete_elem(&roster_lineage, &key);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";

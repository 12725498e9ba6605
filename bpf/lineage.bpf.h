/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The lineage: which task carries which handle, pending or as a member, and the slots' life
 * between.
 *
 * Everything here may run twice for one event, because an upgrade attaches the new programs before
 * it drops the old ones: each step first claims its work by an operation that succeeds once
 * (delete, NOEXIST, compare and swap) and counts only then.
 */
#ifndef ROSTER_LINEAGE_BPF_H
#define ROSTER_LINEAGE_BPF_H

#include "kernel_types.bpf.h"
#include "roster.bpf.h"
#include "lineage_abi.h"
#include "task.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct roster_hot);
} roster_hot SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, ROSTER_MAX_SLOTS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct roster_birth);
} roster_birth SEC(".maps");

/* Not task storage: that fails under contention on fully preemptible kernels. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ROSTER_MAX_LINEAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct roster_lineage);
} roster_lineage SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ROSTER_MAX_ARMED);
	__type(key, __u32);
	__type(value, struct roster_armed);
} roster_arm SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ROSTER_MAX_RUNTIMES);
	__type(key, __u64);
	__type(value, __u64);
} roster_runtime SEC(".maps");

/* Full when the daemon does not read: it then finds the truth in the slots. Losses are counted. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, ROSTER_EVENT_BYTES);
} roster_events SEC(".maps");

static __always_inline struct roster_hot *hot(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&roster_hot, &zero);
}

static __always_inline struct roster_birth *birth_of(__u64 handle)
{
	__u32 slot = ROSTER_HANDLE_SLOT(handle);

	return bpf_map_lookup_elem(&roster_birth, &slot);
}

/* What a task that has not exited carries; NULL: nothing. */
static __always_inline struct roster_lineage *lineage_of(struct task_struct *task)
{
	__u64 key = (__u64)task;
	struct roster_lineage *l = bpf_map_lookup_elem(&roster_lineage, &key);

	return l && l->exited == ROSTER_ALIVE ? l : NULL;
}

static __always_inline void mark_changed(void)
{
	__u32 zero = 0;
	struct roster_abi *abi = bpf_map_lookup_elem(&roster_abi, &zero);

	if (abi)
		__sync_fetch_and_add(&abi->changes, 1);
}

static __noinline void tell(__u32 type, __u64 handle, __u32 pid)
{
	struct roster_event *e = bpf_ringbuf_reserve(&roster_events, sizeof(*e), 0);
	struct roster_membership *m;
	struct roster_hot *h;
	__u32 slot = ROSTER_HANDLE_SLOT(handle);

	if (!e) {
		/*
		 * Once more after it is noted: either there is room by now, or whoever reads has still
		 * to take what fills the buffer, and sees the note when he has done so.
		 */
		h = hot();
		if (h)
			__sync_fetch_and_add(&h->events_lost, 1);
		e = bpf_ringbuf_reserve(&roster_events, sizeof(*e), 0);
	}
	if (!e) {
		roster_count(ROSTER_STAT_EVENTS_LOST);
		return;
	}
	m = bpf_map_lookup_elem(&roster_slot, &slot);
	e->type = type;
	e->pid = pid;
	e->handle = handle;
	e->flags = m ? m->flags : 0;
	bpf_ringbuf_submit(e, 0);
}

/* Deletes an identity entry, but only one that still leads to `handle`. */
static __always_inline void forget_identity(void *map, __u64 key, __u64 handle)
{
	__u64 *held = key ? bpf_map_lookup_elem(map, &key) : NULL;

	if (held && *held == handle)
		bpf_map_delete_elem(map, &key);
}

struct heir {
	__u64 from;
	__u64 cookie;
	__u64 netns;
	__u64 found; /* handle; 0: none */
};

static long try_heir(__u32 slot, struct heir *heir)
{
	struct roster_membership *m = bpf_map_lookup_elem(&roster_slot, &slot);

	if (!m || m->netns != heir->netns || m->netns_cookie != heir->cookie)
		return 0;
	if (m->state < ROSTER_PENDING || m->state >= ROSTER_ENDED || m->handle == heir->from)
		return 0;
	heir->found = m->handle;
	return 1;
}

/* A network namespace that others share leads to one of them from here, daemon or not. */
static __always_inline void leave_netns(struct roster_membership *m)
{
	struct heir heir = {.from = m->handle, .cookie = m->netns_cookie, .netns = m->netns};
	__u64 *held = heir.netns ? bpf_map_lookup_elem(&roster_netns, &heir.netns) : NULL;

	if (!held || *held != heir.from)
		return;
	if (m->flags & ROSTER_F_SHARED_NETNS)
		bpf_loop(ROSTER_MAX_SLOTS, try_heir, &heir, 0);
	if (heir.found)
		bpf_map_update_elem(&roster_netns, &heir.netns, &heir.found, BPF_EXIST);
	else
		bpf_map_delete_elem(&roster_netns, &heir.netns);
}

/* Takes back every identity of a slot and frees it. */
static __noinline int free_slot(struct roster_membership *m)
{
	__u64 handle;

	if (!m)
		return 0;
	handle = m->handle;
	forget_identity(&roster_mntns, m->mntns, handle);
	leave_netns(m);
	forget_identity(&roster_cgroup, m->cgroup_id, handle);
	m->handle = 0;
	__sync_lock_test_and_set(&m->state, ROSTER_FREE);
	mark_changed();
	return 0;
}

/* One carrier of a pending handle fewer; the last one frees a slot that no init has taken. */
static __noinline void put_pending(__u64 handle, __u32 pid)
{
	__u32 slot = ROSTER_HANDLE_SLOT(handle);
	struct roster_membership *m = bpf_map_lookup_elem(&roster_slot, &slot);
	struct roster_birth *b = bpf_map_lookup_elem(&roster_birth, &slot);

	if (!m || !b || m->handle != handle)
		return;
	if (__sync_fetch_and_add(&b->npending, -1) != 1)
		return;
	if (__sync_val_compare_and_swap(&m->state, ROSTER_PENDING, ROSTER_RESERVED) !=
	    ROSTER_PENDING)
		return;
	if (!(m->flags & ROSTER_F_JOIN))
		roster_count(ROSTER_STAT_DROPPED);
	tell(ROSTER_EV_DROPPED, handle, pid);
	free_slot(m);
}

/* Keeps roster_hot.carriers in step after pending or ROSTER_L_RUNTIME of an entry has changed. */
static __always_inline void note_carrier(struct roster_lineage *l)
{
	struct roster_hot *h = hot();
	_Bool carries = l->pending || (l->flags & ROSTER_L_RUNTIME);

	if (!h || carries == !!(l->flags & ROSTER_L_CARRIER))
		return;
	l->flags ^= ROSTER_L_CARRIER;
	__sync_fetch_and_add(&h->carriers, carries ? 1 : -1);
}

static __always_inline void drop_pending(struct roster_lineage *l, __u32 pid)
{
	__u64 handle = l->pending;

	l->pending = 0;
	note_carrier(l);
	if (handle)
		put_pending(handle, pid);
}

/*
 * The task at `key` is gone, and its entry void; the going of a container's last task frees the
 * slot. Runs once for an entry, at sched_process_free or, where that was not told, when the address
 * is a new task's. Only the former deletes the entry: here it may be taken over at once.
 */
static __noinline void bury(__u64 key, __u32 pid)
{
	struct roster_lineage *l = bpf_map_lookup_elem(&roster_lineage, &key);
	struct roster_membership *m;
	struct roster_birth *b;
	__u64 handle;

	if (!l)
		return;
	handle = l->member;
	if (__sync_val_compare_and_swap(&l->exited, ROSTER_EXITED, ROSTER_FREED) != ROSTER_EXITED)
		return;
	l->flags &= ~ROSTER_L_RUNTIME;
	drop_pending(l, pid);
	m = roster_by_handle(handle);
	b = birth_of(handle);
	if (!m || !b || __sync_fetch_and_add(&b->ntasks, -1) != 1)
		return;
	if (__sync_val_compare_and_swap(&m->state, ROSTER_ENDED, ROSTER_RESERVED) != ROSTER_ENDED)
		return;
	tell(ROSTER_EV_CLEARED, handle, pid);
	free_slot(m);
}

/* The handle armed for thread `tid`, taken out, or 0. */
static __always_inline __u64 take_armed(struct roster_hot *h, __u32 tid)
{
	struct roster_armed *armed;
	__u64 handle;

	if (!h->armed)
		return 0;
	armed = bpf_map_lookup_elem(&roster_arm, &tid);
	if (!armed)
		return 0;
	handle = armed->handle;
	if (bpf_map_delete_elem(&roster_arm, &tid))
		return 0;
	__sync_fetch_and_add(&h->armed, -1);
	return handle;
}

/* Lets the tracers find the task at once; the identity maps serve where storage fails. */
static __always_inline void publish_task(struct task_struct *task, __u64 handle)
{
	__u64 *stored =
	    bpf_task_storage_get(&roster_task, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (stored)
		*stored = handle;
	else
		roster_count(ROSTER_STAT_TASK_STORAGE_LOST);
}

/*
 * Enters `fresh` for the task at `key`; false when there is an entry already, or, counted, when the
 * map refuses. The task iterator and a fork may come for one task at once: only who is told true
 * counts the task.
 */
static __always_inline _Bool enter_lineage(__u64 key, struct roster_lineage *fresh, __u32 pid)
{
	struct roster_lineage *left;

	if (!bpf_map_update_elem(&roster_lineage, &key, fresh, BPF_NOEXIST))
		return 1;
	bury(key, pid);
	left = bpf_map_lookup_elem(&roster_lineage, &key);
	if (!left) {
		roster_count(ROSTER_STAT_LINEAGE_LOST);
		return 0;
	}
	/* Over what is left of an earlier task at this address. */
	if (__sync_val_compare_and_swap(&left->exited, ROSTER_FREED, ROSTER_TAKEN) != ROSTER_FREED)
		return 0;
	left->pending = fresh->pending;
	left->member = fresh->member;
	left->flags = fresh->flags;
	__sync_lock_test_and_set(&left->exited, ROSTER_ALIVE);
	return 1;
}

/* Whether the container may have one more task in the lineage; counted when not. */
static __always_inline _Bool has_room(__u64 handle)
{
	struct roster_birth *b = birth_of(handle);

	if (!b || b->ntasks < ROSTER_MAX_MEMBER_TASKS)
		return 1;
	roster_count(ROSTER_STAT_TASKS_BOUND);
	return 0;
}

/* The task's lineage entry, made if need be; NULL when the map refuses. */
static __always_inline struct roster_lineage *make_lineage(struct task_struct *task)
{
	struct roster_lineage fresh = {};
	struct roster_lineage *l = lineage_of(task);

	if (l)
		return l;
	enter_lineage((__u64)task, &fresh, task->tgid);
	return lineage_of(task);
}

/* Makes the task a member of `handle`; a task is a member of one container at a time, the
 * innermost. */
static __always_inline void become_member(struct task_struct *task, struct roster_lineage *l,
					  __u64 handle)
{
	struct roster_birth *b = birth_of(handle);
	__u64 before = l->member;
	struct roster_birth *old;

	if (before == handle || !b)
		return;
	/* The iterator and an exec of the task may both come to here. */
	if (__sync_val_compare_and_swap(&l->member, before, handle) != before)
		return;
	old = roster_by_handle(before) ? birth_of(before) : NULL;
	__sync_fetch_and_add(&b->nlive, 1);
	__sync_fetch_and_add(&b->ntasks, 1);
	if (old) {
		__sync_fetch_and_add(&old->nlive, -1);
		__sync_fetch_and_add(&old->ntasks, -1);
	}
	publish_task(task, handle);
}

#endif /* ROSTER_LINEAGE_BPF_H */

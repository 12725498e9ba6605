/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Binding: a container's init takes its handle, pending or newly allotted, and its namespaces and
 * cgroup become identities that lead to it.
 */
#ifndef ROSTER_BIND_BPF_H
#define ROSTER_BIND_BPF_H

#include "lineage.bpf.h"

/*
 * Enters one identity. A live entry of another container with the same namespace (`id` equal) is
 * shared and stays; a stale one is replaced.
 */
static __always_inline void enter_identity(void *map, __u64 key, __u64 handle, __u32 full_stat)
{
	if (bpf_map_update_elem(map, &key, &handle, BPF_ANY))
		roster_count(full_stat);
}

static __noinline int enter_mntns(struct roster_membership *m)
{
	struct roster_membership *other;
	__u64 *held;
	__u64 key;

	if (!m)
		return 0;
	key = m->mntns;
	held = bpf_map_lookup_elem(&roster_mntns, &key);
	other = held && *held != m->handle ? roster_by_handle(*held) : NULL;
	if (other && other->mntns_id == m->mntns_id) {
		__sync_fetch_and_or(&other->flags, ROSTER_F_SHARED_MNTNS);
		__sync_fetch_and_or(&m->flags, ROSTER_F_SHARED_MNTNS);
		return 0;
	}
	enter_identity(&roster_mntns, key, m->handle, ROSTER_STAT_MNTNS_FULL);
	return 0;
}

static __noinline int enter_netns(struct roster_membership *m)
{
	struct roster_membership *other;
	__u64 *held;
	__u64 key;

	if (!m)
		return 0;
	key = m->netns;
	held = bpf_map_lookup_elem(&roster_netns, &key);
	other = held && *held != m->handle ? roster_by_handle(*held) : NULL;
	if (other && other->netns_cookie == m->netns_cookie) {
		__sync_fetch_and_or(&other->flags, ROSTER_F_SHARED_NETNS);
		__sync_fetch_and_or(&m->flags, ROSTER_F_SHARED_NETNS);
		return 0;
	}
	enter_identity(&roster_netns, key, m->handle, ROSTER_STAT_NETNS_FULL);
	return 0;
}

/*
 * Reads the task's namespaces and cgroup into the slot and enters them as identities. Those that
 * are still the runtime's own, or the host's, are not the container's and are left out.
 */
static __always_inline void bind_identities(struct task_struct *task, struct roster_membership *m,
					    struct roster_birth *b, struct roster_hot *h,
					    __u64 mntns)
{
	struct net *net = task->nsproxy->net_ns;
	__u64 cgroup = cgroup_id_of(task, h->cgroup_source);
	__u64 netns = net->ns.inum;
	__u64 pidns;

	pid_in_own_namespace(task, &pidns);
	m->mntns_id = mntns_id_of(task);
	m->mntns = mntns;
	m->pid_ns = pidns;
	if (pidns == h->host_pidns)
		__sync_fetch_and_or(&m->flags, ROSTER_F_HOST_PID);
	enter_mntns(m);
	if (netns == h->host_netns) {
		__sync_fetch_and_or(&m->flags, ROSTER_F_HOST_NETWORK);
		m->netns = 0;
		m->netns_cookie = 0;
	} else if (netns != b->from_netns) {
		m->netns_cookie = net->net_cookie;
		m->netns = netns;
		enter_netns(m);
	}
	if (cgroup != b->from_cgroup) {
		m->cgroup_id = cgroup;
		enter_identity(&roster_cgroup, cgroup, m->handle, ROSTER_STAT_CGROUP_FULL);
	}
	mark_changed();
}

struct search {
	__u32 start;
	__u32 found; /* slot number; 0: none */
};

static long try_slot(__u32 n, struct search *s)
{
	__u32 slot = (s->start + n) % ROSTER_MAX_SLOTS;
	struct roster_membership *m;

	if (!slot)
		return 0; /* not used */
	m = bpf_map_lookup_elem(&roster_slot, &slot);
	if (!m || m->state != ROSTER_FREE)
		return 0;
	if (__sync_val_compare_and_swap(&m->state, ROSTER_FREE, ROSTER_RESERVED) != ROSTER_FREE)
		return 0;
	s->found = slot;
	return 1;
}

/* A fresh handle in a RESERVED, emptied slot, or 0, counted, when all are in use. */
static __always_inline __u64 reserve_slot(struct roster_hot *h)
{
	struct search s = {.start = __sync_fetch_and_add(&h->cursor, 1)};
	struct roster_membership *m;
	struct roster_birth *b;

	bpf_loop(ROSTER_MAX_SLOTS, try_slot, &s, 0);
	m = s.found ? bpf_map_lookup_elem(&roster_slot, &s.found) : NULL;
	b = s.found ? bpf_map_lookup_elem(&roster_birth, &s.found) : NULL;
	if (!m || !b) {
		roster_count(ROSTER_STAT_SLOTS_FULL);
		return 0;
	}
	b->epoch++;
	b->npending = b->nlive = b->ntasks = b->ncgroups = 0;
	b->exe_ino = 0;
	b->from_mntns = b->from_netns = b->from_cgroup = 0;
	b->leader = b->init = 0;
	m->flags = 0;
	m->parent = m->pod = 0;
	m->tracers[0] = m->tracers[1] = 0;
	m->mntns_id = m->netns_cookie = m->cgroup_id = 0;
	m->mntns = 0;
	m->netns = 0;
	m->init_pid = 0;
	m->bound_ns = 0;
	m->pid_ns = 0;
	return ROSTER_MAKE_HANDLE(b->epoch, s.found);
}

/* The task becomes the init of slot `m`, whose state the caller has just moved to BOUND. */
static __always_inline void bind_init(struct task_struct *task, struct roster_lineage *l,
				      struct roster_membership *m, struct roster_birth *b,
				      struct roster_hot *h, __u64 mntns)
{
	m->init_pid = task->tgid;
	m->bound_ns = bpf_ktime_get_boot_ns();
	b->init = (__u64)task;
	if (l->member && l->member != m->handle) {
		m->parent = l->member;
		__sync_fetch_and_or(&m->flags, ROSTER_F_NESTED);
	}
	bind_identities(task, m, b, h, mntns);
	become_member(task, l, m->handle);
}

#endif /* ROSTER_BIND_BPF_H */

// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Child cgroups: what a container makes below its own cgroup leads to the container too, from the
 * moment it is made until it is removed. Ids of cgroups are never reused, so an entry can be taken
 * out without asking whose.
 */
#include "lineage.bpf.h"

#define EEXIST 17

/* Every hierarchy fires these tracepoints, each with ids of its own; only one is Roster's. */
static __always_inline _Bool ours(struct cgroup *cgrp)
{
	struct roster_hot *h = hot();

	return h && (__u32)cgrp->root->hierarchy_id == h->hierarchy;
}

SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(on_cgroup_mkdir, struct cgroup *cgrp)
{
	struct cgroup_subsys_state *parent = cgrp->self.parent;
	__u64 id = cgrp->kn->id;
	struct roster_birth *b;
	__u64 *handle;
	__u64 copy;
	__u64 key;
	long error;

	if (!ours(cgrp) || !parent)
		return 0;
	key = BPF_CORE_READ(parent, cgroup, kn, id);
	handle = bpf_map_lookup_elem(&roster_cgroup, &key);
	if (!handle || !roster_by_handle(*handle))
		return 0;
	copy = *handle;
	b = birth_of(copy);
	if (!b)
		return 0;
	if (b->ncgroups >= ROSTER_MAX_CHILD_CGROUPS) {
		roster_count(ROSTER_STAT_CGROUPS_BOUND);
		return 0;
	}
	error = bpf_map_update_elem(&roster_cgroup, &id, &copy, BPF_NOEXIST);
	if (error == -EEXIST)
		return 0; /* by the programs of another generation */
	if (error)
		roster_count(ROSTER_STAT_CGROUP_FULL);
	else
		__sync_fetch_and_add(&b->ncgroups, 1);
	mark_changed();
	return 0;
}

SEC("tp_btf/cgroup_rmdir")
int BPF_PROG(on_cgroup_rmdir, struct cgroup *cgrp)
{
	__u64 id = cgrp->kn->id;
	struct roster_membership *m;
	struct roster_birth *b;
	__u64 *held;
	__u64 handle;

	held = ours(cgrp) ? bpf_map_lookup_elem(&roster_cgroup, &id) : NULL;
	if (!held)
		return 0;
	handle = *held;
	if (bpf_map_delete_elem(&roster_cgroup, &id))
		return 0;
	m = roster_by_handle(handle);
	b = birth_of(handle);
	if (m && b && m->cgroup_id != id)
		__sync_fetch_and_add(&b->ncgroups, -1);
	mark_changed();
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";

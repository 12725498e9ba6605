/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * Look-ups in Roster's pinned maps, for BPF programs: which container does this task, socket or
 * cgroup belong to?
 *
 *	#include <linux/bpf.h>
 *	#include <bpf/bpf_helpers.h>
 *	#include <roster/roster.bpf.h>
 *
 *	SEC("tp_btf/sys_enter")
 *	int first(void *ctx)
 *	{
 *		const struct roster_membership *m = roster_current();
 *		const struct roster_record *r = m ? roster_record_of(m->handle) : NULL;
 *		if (r)
 *			bpf_printk("%s", r->name);
 *		return 0;
 *	}
 *
 * Open the object with `.pin_root_path = "/sys/fs/bpf/roster/v1"` (bpf_object_open_opts): libbpf
 * then uses the maps that Roster pinned there. Where there are none yet it creates them and Roster
 * adopts them when it starts. Include a generated vmlinux.h before this file, or none: only the few
 * types below are needed, found by CO-RE. Every function returns NULL when nothing is known, and
 * never a container of the past: an entry whose kernel object has been replaced by another of the
 * same number reads as absent.
 */
#ifndef ROSTER_BPF_H
#define ROSTER_BPF_H

#include "roster_abi.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct roster_abi);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} roster_abi SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ROSTER_MAX_IDENTITIES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);   /* inode number of a mount namespace */
	__type(value, __u64); /* handle */
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} roster_mntns SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ROSTER_MAX_IDENTITIES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);   /* inode number of a network namespace */
	__type(value, __u64); /* handle: of the pod where several containers share it */
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} roster_netns SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ROSTER_MAX_CGROUPS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);   /* cgroup id */
	__type(value, __u64); /* handle */
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} roster_cgroup SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64); /* handle */
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} roster_task SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, ROSTER_MAX_SLOTS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32); /* slot number */
	__type(value, struct roster_membership);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} roster_slot SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ROSTER_MAX_RECORDS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64); /* handle */
	__type(value, struct roster_record);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} roster_record SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, ROSTER_STAT_MAX);
	__type(key, __u32); /* enum roster_stat */
	__type(value, __u64);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} roster_stats SEC(".maps");

/* The few kernel fields that a look-up reads. The suffix keeps them apart from those of a
 * vmlinux.h. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct ns_common___roster {
	unsigned int inum;
};
struct ns_common___roster_id { /* 6.18 and newer */
	__u64 ns_id;
};
struct ns_tree___roster {
	__u64 ns_id;
};
struct ns_common___roster_tree { /* 7.0 and newer */
	struct ns_tree___roster ns_tree;
};
struct mnt_namespace___roster {
	struct ns_common___roster ns;
};
struct mnt_namespace___roster_seq { /* up to 6.17 */
	__u64 seq;
};
struct net___roster {
	struct ns_common___roster ns;
	__u64 net_cookie;
};
struct nsproxy___roster {
	struct mnt_namespace___roster *mnt_ns;
	struct net___roster *net_ns;
};
struct task_struct___roster {
	struct nsproxy___roster *nsproxy;
};
struct sock_common___roster {
	struct {
		struct net___roster *net;
	} skc_net;
};
struct sock___roster {
	struct sock_common___roster __sk_common;
};
#pragma clang attribute pop

/* Adds one to a counter of roster_stats. */
static __always_inline void roster_count(__u32 stat)
{
	__u64 *n = bpf_map_lookup_elem(&roster_stats, &stat);

	if (n)
		*n += 1;
}

/* The membership that `handle` names, or NULL when it names none any more. */
static __always_inline struct roster_membership *roster_by_handle(__u64 handle)
{
	__u32 slot = ROSTER_HANDLE_SLOT(handle);
	struct roster_membership *m = bpf_map_lookup_elem(&roster_slot, &slot);

	return m && handle && m->handle == handle ? m : NULL;
}

/*
 * By mount namespace inode number. `id` is the namespace's never-reused id, against which the entry
 * is checked; 0 skips the check (the kernel uses inode numbers again at once).
 */
static __always_inline struct roster_membership *roster_by_mntns(__u64 inode, __u64 id)
{
	__u64 *handle = bpf_map_lookup_elem(&roster_mntns, &inode);
	struct roster_membership *m = handle ? roster_by_handle(*handle) : NULL;

	if (handle && (!m || (id && m->mntns_id && m->mntns_id != id))) {
		roster_count(ROSTER_STAT_STALE_LOOKUPS);
		return NULL;
	}
	return m;
}

/* By network namespace inode number; `cookie` as `id` above. The pod's membership where a pod
 * shares it. */
static __always_inline struct roster_membership *roster_by_netns(__u64 inode, __u64 cookie)
{
	__u64 *handle = bpf_map_lookup_elem(&roster_netns, &inode);
	struct roster_membership *m = handle ? roster_by_handle(*handle) : NULL;

	if (handle && (!m || (cookie && m->netns_cookie && m->netns_cookie != cookie))) {
		roster_count(ROSTER_STAT_STALE_LOOKUPS);
		return NULL;
	}
	return m;
}

/* By cgroup id, of the hierarchy that roster_abi.cgroup_source names. Child cgroups are included.
 */
static __always_inline struct roster_membership *roster_by_cgroup(__u64 id)
{
	__u64 *handle = bpf_map_lookup_elem(&roster_cgroup, &id);

	return handle ? roster_by_handle(*handle) : NULL;
}

/*
 * Pointers to kernel structures that a program holds as trusted (tp_btf, fentry, lsm, iter) may be
 * read by plain loads, which cost half as much as bpf_probe_read_kernel. Elsewhere (kprobe, raw_tp,
 * tracepoint) define ROSTER_PROBE_READ before including this file.
 */
#ifdef ROSTER_PROBE_READ
#define ROSTER_LOAD(pointer, ...) BPF_CORE_READ(pointer, __VA_ARGS__)
#else
#define ROSTER_LOAD_1(p, a)		  ((p)->a)
#define ROSTER_LOAD_2(p, a, b)		  ((p)->a->b)
#define ROSTER_LOAD_3(p, a, b, c)	  ((p)->a->b->c)
#define ROSTER_LOAD_N(_1, _2, _3, N, ...) N
#define ROSTER_LOAD(pointer, ...)                                                                  \
	ROSTER_LOAD_N(__VA_ARGS__, ROSTER_LOAD_3, ROSTER_LOAD_2, ROSTER_LOAD_1)                    \
	(pointer, __VA_ARGS__)
#endif

/* The never-reused id of a mount namespace: ns_id from 6.18 on (elsewhere from 7.0 on), seq before. */
static __always_inline __u64 roster_mntns_id(struct mnt_namespace___roster *ns)
{
	struct mnt_namespace___roster_seq *old = (void *)ns;
	struct ns_common___roster_id *common = (void *)&ns->ns;
	struct ns_common___roster_tree *tree = (void *)&ns->ns;

	if (bpf_core_field_exists(common->ns_id))
		return ROSTER_LOAD(common, ns_id);
	if (bpf_core_field_exists(tree->ns_tree.ns_id))
		return ROSTER_LOAD(tree, ns_tree.ns_id);
	if (bpf_core_field_exists(old->seq))
		return ROSTER_LOAD(old, seq);
	return 0;
}

/* The container whose mount namespace `task` is in. */
static __always_inline struct roster_membership *roster_by_task_mntns(void *task)
{
	struct task_struct___roster *t = task;
	struct mnt_namespace___roster *ns = ROSTER_LOAD(t, nsproxy, mnt_ns);
	__u32 zero = 0;
	struct roster_abi *abi = bpf_map_lookup_elem(&roster_abi, &zero);
	__u64 inode;

	if (!ns)
		return NULL;
	inode = ROSTER_LOAD(ns, ns.inum);
	if (abi && abi->host_mntns == inode)
		return NULL;
	return roster_by_mntns(inode, roster_mntns_id(ns));
}

/*
 * The container that `task` belongs to, by lineage, else by mount namespace. `task` is a trusted
 * pointer to a task_struct. Needs task storage in the program type: tp_btf, fentry, lsm, kprobe,
 * tracepoint (5.11), iter.
 */
static __always_inline struct roster_membership *roster_of_task(void *task)
{
	__u64 *handle = bpf_task_storage_get(&roster_task, task, NULL, 0);

	if (handle) {
		struct roster_membership *m = roster_by_handle(*handle);

		if (m)
			return m;
	}
	return roster_by_task_mntns(task);
}

/* The container that the current task belongs to. */
static __always_inline struct roster_membership *roster_current(void)
{
	return roster_of_task((void *)bpf_get_current_task_btf());
}

/* The container, or pod, in whose network namespace the socket is. `sk` points to a struct sock. */
static __always_inline struct roster_membership *roster_of_sock(void *sk)
{
	struct sock___roster *s = sk;
	struct net___roster *net = BPF_CORE_READ(s, __sk_common.skc_net.net);

	if (!net)
		return NULL;
	return roster_by_netns(BPF_CORE_READ(net, ns.inum), BPF_CORE_READ(net, net_cookie));
}

/* Does tracer number `tracer` (0 to ROSTER_MAX_TRACERS - 1) want events of this container? */
static __always_inline _Bool roster_wants(const struct roster_membership *m, __u32 tracer)
{
	return m && tracer < ROSTER_MAX_TRACERS && (m->tracers[tracer / 64] >> (tracer % 64)) & 1;
}

/* The record of `handle`, a tombstone for a while after the end, or NULL. */
static __always_inline struct roster_record *roster_record_of(__u64 handle)
{
	return bpf_map_lookup_elem(&roster_record, &handle);
}

#endif /* ROSTER_BPF_H */

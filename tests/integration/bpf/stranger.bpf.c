/*
 * An observer that includes nothing of Roster's: written after docs/abi.md, as somebody else would.
 */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

struct membership {
	__u64 handle;
	__u32 state;
	__u32 flags;
	__u64 parent, pod, tracers[2];
	__u64 mntns_id;
	__u64 netns_cookie;
	__u64 cgroup_id;
	__u64 rest[7];
};

struct record {
	__u64 handle;
	__u32 flags, pid;
	__u64 times[3], mntns, netns, cgroup_id;
	char runtime[16];
	char id[80];
	char name[64];
	char rest[64 + 128 + 40 + 64 + 128 + 216];
};

struct roster_head {
	__u32 major, minor;
	__u8 boot_id[16];
	__u64 start, heartbeat, changes;
	__u32 daemon_pid;
	__u32 cgroup_source;
	__u64 rest[9];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct roster_head);
} roster_abi SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, __u64);
} roster_mntns SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, __u64);
} roster_cgroup SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64);
} roster_task SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct membership);
} roster_slot SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct record);
} roster_record SEC(".maps");

#include "first_call.bpf.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct ns_common___new {
	__u64 ns_id;
};
struct mnt_namespace___new {
	struct ns_common___new ns;
};
struct mnt_namespace___old {
	__u64 seq;
};
#pragma clang attribute pop

static __always_inline __u64 mntns_id_of(struct task_struct *task)
{
	struct mnt_namespace *ns = task->nsproxy->mnt_ns;
	struct mnt_namespace___new *new = (void *)ns;
	struct mnt_namespace___old *old = (void *)ns;

	if (bpf_core_field_exists(new->ns.ns_id))
		return BPF_CORE_READ(new, ns.ns_id);
	if (bpf_core_field_exists(old->seq))
		return BPF_CORE_READ(old, seq);
	return 0;
}

/* `id` is checked against the slot where both are known. */
static __always_inline void follow(const __u64 *handle, __u64 id, struct first_call_found *found)
{
	__u32 slot = handle ? (__u32)*handle : 0;
	struct membership *member = bpf_map_lookup_elem(&roster_slot, &slot);
	struct record *record;
	__u64 key;

	if (!handle || !*handle || !member || member->handle != *handle)
		return;
	if (id && member->mntns_id && member->mntns_id != id)
		return;
	key = *handle;
	found->handle = key;
	found->state = member->state;
	found->flags = member->flags;
	record = bpf_map_lookup_elem(&roster_record, &key);
	if (!record)
		return;
	__builtin_memcpy(found->runtime, record->runtime, sizeof(found->runtime));
	__builtin_memcpy(found->id, record->id, sizeof(found->id));
	__builtin_memcpy(found->name, record->name, sizeof(found->name));
}

static __always_inline void look_up(struct task_struct *task, struct first_call *call)
{
	__u32 zero = 0;
	struct roster_head *head = bpf_map_lookup_elem(&roster_abi, &zero);
	/* On the stack: 6.1 takes no key from a ring buffer's memory. */
	__u64 mntns = call->mntns, cgroup = cgroup_of(task, head ? head->cgroup_source : 0);

	call->cgroup_id = cgroup;
	follow(bpf_task_storage_get(&roster_task, bpf_get_current_task_btf(), NULL, 0), 0,
	       &call->found[FIRST_CALL_TASK]);
	follow(bpf_map_lookup_elem(&roster_mntns, &mntns), mntns_id_of(task),
	       &call->found[FIRST_CALL_MNTNS]);
	follow(bpf_map_lookup_elem(&roster_cgroup, &cgroup), 0, &call->found[FIRST_CALL_CGROUP]);
}

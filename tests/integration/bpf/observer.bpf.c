/*
 * An observer that includes nothing of Roster's but its header for tracers.
 */
#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "roster.bpf.h"
#include "first_call.bpf.h"

static __always_inline void note(const struct roster_membership *member,
				 struct first_call_found *found)
{
	struct roster_record *record;

	if (!member)
		return;
	found->handle = member->handle;
	found->state = member->state;
	found->flags = member->flags;
	record = roster_record_of(found->handle);
	if (!record)
		return;
	__builtin_memcpy(found->runtime, record->runtime, sizeof(found->runtime));
	__builtin_memcpy(found->id, record->id, sizeof(found->id));
	__builtin_memcpy(found->name, record->name, sizeof(found->name));
}

static __always_inline void look_up(struct task_struct *task, struct first_call *call)
{
	__u32 zero = 0;
	struct roster_abi *abi = bpf_map_lookup_elem(&roster_abi, &zero);
	/* Of the task's own entry, without the fallback that roster_current() has: each way is
	 * judged alone. */
	__u64 *handle = bpf_task_storage_get(&roster_task, bpf_get_current_task_btf(), NULL, 0);

	call->cgroup_id = cgroup_of(task, abi ? abi->cgroup_source : 0);
	note(handle ? roster_by_handle(*handle) : NULL, &call->found[FIRST_CALL_TASK]);
	note(roster_by_task_mntns(bpf_get_current_task_btf()), &call->found[FIRST_CALL_MNTNS]);
	note(roster_by_cgroup(call->cgroup_id), &call->found[FIRST_CALL_CGROUP]);
}

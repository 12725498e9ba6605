/* A stranger's tracer that has nothing of ours but roster.bpf.h: prints the container of each new
 * program. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <roster/roster.bpf.h>

char LICENSE[] SEC("license") = "GPL";

SEC("tp_btf/sched_process_exec")
int on_exec(void *ctx)
{
	const struct roster_membership *membership = roster_current();
	const struct roster_record *record =
	    membership ? roster_record_of(membership->handle) : NULL;

	if (record)
		bpf_printk("%s", record->name);
	return 0;
}

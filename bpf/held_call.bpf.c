// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The system call that a task is in, read from the registers it entered the kernel with.
 *
 * /proc/<tid>/syscall tells the same, but only of a task that sleeps: all whose exec is held wait
 * on one queue, each answer wakes them all, and on a busy machine one that was woken for nothing
 * may wait for a processor for longer than it may be held. The registers stay where they are
 * meanwhile. Run for one task, which the iterator's parameters name.
 */
#include "kernel_types.bpf.h"
#include "held_call_abi.h"

SEC("iter/task")
int held_call(struct bpf_iter__task___roster *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task;
	struct roster_held_call call = {};
	struct pt_regs___roster *regs;

	if (!task)
		return 0;
	regs = (struct pt_regs___roster *)bpf_task_pt_regs(task);
	call.number = REGS_SYSCALL(regs);
	call.args[0] = REGS_ARG0(regs);
	call.args[1] = REGS_ARG1(regs);
	call.args[2] = REGS_ARG2(regs);
	bpf_seq_write(seq, &call, sizeof(call));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The kernel types that Roster's programs read, with just the fields they read; CO-RE finds the
 * offsets at load. Every difference between kernels is settled in this file.
 */
#ifndef ROSTER_KERNEL_TYPES_BPF_H
#define ROSTER_KERNEL_TYPES_BPF_H

#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
};

struct mnt_namespace {
	struct ns_common ns;
};

/* Up to 6.17: the mount namespace's sequence number, never reused. */
struct mnt_namespace___seq {
	__u64 seq;
};

/* 6.18: one never-reused id for every kind of namespace. */
struct ns_common___id {
	__u64 ns_id;
};

/* 7.0 and newer: the same, moved into the tree node (an anonymous union of later kernels is
 * transparent). */
struct ns_tree___id {
	__u64 ns_id;
};
struct ns_common___tree {
	struct ns_tree___id ns_tree;
};
struct mnt_namespace___id {
	struct ns_common___id ns;
};
struct mnt_namespace___tree {
	struct ns_common___tree ns;
};

struct net {
	struct ns_common ns;
	__u64 net_cookie;
};

struct user_namespace {
	struct {
		unsigned int val;
	} owner;
	int level;
};

struct pid_namespace {
	struct ns_common ns;
};

struct nsproxy {
	struct mnt_namespace *mnt_ns;
	struct net *net_ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct kernfs_node {
	__u64 id;
};

struct cgroup;

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};

struct cgroup_root {
	int hierarchy_id;
};

struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
	struct cgroup_root *root;
};

struct css_set {
	struct cgroup_subsys_state *subsys[16];
	struct cgroup *dfl_cgrp;
};

struct super_block {
	unsigned int s_dev;
};

struct inode {
	unsigned long i_ino;
	struct super_block *i_sb;
	unsigned int i_nlink;
};

struct file {
	struct inode *f_inode;
};

struct mm_struct {
	struct file *exe_file;
	unsigned long arg_start;
};

struct cred {
	struct {
		unsigned int val;
	} uid;
	struct user_namespace *user_ns;
};

struct signal_struct {
	struct {
		int counter;
	} live;
	int group_exit_code;
};

struct task_struct {
	int pid;
	int tgid;
	int exit_code;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	const struct cred *real_cred;
	struct pid *thread_pid;
	struct css_set *cgroups;
	struct nsproxy *nsproxy;
	struct mm_struct *mm;
	struct signal_struct *signal;
	unsigned int flags;
};

struct linux_binprm {
	struct file *file;
};

/* The context of a task iterator; the suffixes keep it apart from the names that libbpf's headers
 * may declare. */
struct bpf_iter_meta___roster {
	struct seq_file *seq;
};

struct bpf_iter__task___roster {
	struct bpf_iter_meta___roster *meta;
	struct task_struct *task;
};

/* What a task entered the kernel with, and where its system call and arguments are in it. */
#if defined(__TARGET_ARCH_x86)
struct pt_regs___roster {
	unsigned long di;
	unsigned long si;
	unsigned long dx;
	unsigned long orig_ax;
};
#define REGS_SYSCALL(regs) ((regs)->orig_ax)
#define REGS_ARG0(regs)	   ((regs)->di)
#define REGS_ARG1(regs)	   ((regs)->si)
#define REGS_ARG2(regs)	   ((regs)->dx)
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs___roster {
	__u64 regs[31];
	__u64 orig_x0;
	int syscallno;
};
#define REGS_SYSCALL(regs) ((__u64)(regs)->syscallno)
#define REGS_ARG0(regs)	   ((regs)->orig_x0)
#define REGS_ARG1(regs)	   ((regs)->regs[1])
#define REGS_ARG2(regs)	   ((regs)->regs[2])
#endif

#pragma clang attribute pop

#endif /* ROSTER_KERNEL_TYPES_BPF_H */

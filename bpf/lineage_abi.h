/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Layouts that Roster's own programs and its userspace share and nobody else may rely on: how a
 * slot came to be, which task carries which handle, and the messages of the kernel hook. Pinned
 * below "internal/", so that a daemon that starts finds them; ROSTER_INTERNAL_VERSION changes with
 * them.
 */
#ifndef ROSTER_LINEAGE_ABI_H
#define ROSTER_LINEAGE_ABI_H

#include "roster_abi.h"

#define ROSTER_INTERNAL_VERSION 4

/* Tasks that carry a handle; at 16 bytes a bucket this is 1 MiB. Full: counted, identity maps still
 * serve. */
#define ROSTER_MAX_LINEAGE 65536
/*
 * What one container may have of these and of roster_cgroup, a quarter each: it can make as many
 * tasks and, where its cgroup is delegated, cgroups as it likes. Beyond that it loses its own.
 */
#define ROSTER_MAX_MEMBER_TASKS	 (ROSTER_MAX_LINEAGE / 4)
#define ROSTER_MAX_CHILD_CGROUPS (ROSTER_MAX_CGROUPS / 4)
/* Held execs that wait for their sched_process_exec: far more than CPUs that run a runtime. */
#define ROSTER_MAX_ARMED 4096
/* Inodes of runtime executables. */
#define ROSTER_MAX_RUNTIMES 1024
/* 16,384 messages of 24 bytes and the ring's 8; the daemon has the ring mapped twice over. */
#define ROSTER_EVENT_BYTES (512 * 1024)

/*
 * roster_hot: array of one, mmapable. What lets an ordinary exec leave at once comes first, in one
 * cache line.
 */
struct roster_hot {
	__u32 version; /* ROSTER_INTERNAL_VERSION */
	__u32 cgroup_source;
	__u64 host_mntns;
	__u32 armed;	/* entries of roster_arm, or more; 0 lets exec and exit skip it */
	__u32 carriers; /* tasks on the way to a container: with none, a host's exec is nobody's
			   business */
	__u64 runtime_filter[4]; /* bit (inode % 256) of each runtime's inode: no bit, no runtime */
	__u64 host_netns;
	__u64 host_pidns;
	__u32 cursor;	   /* where the search for a free slot goes on */
	__u32 hierarchy;   /* /proc/self/cgroup's number of the hierarchy of cgroup_source */
	__u64 events_lost; /* messages that found roster_events full, at the first try */
	__u64 reserved[2];
};
ROSTER_ASSERT_SIZE(struct roster_hot, 4 + 4 + 8 + 4 + 4 + 4 * 8 + 2 * 8 + 4 + 4 + 8 + 2 * 8);

/* roster_birth: array, mmapable, slot -> how it came to be and who keeps it. A cache line each. */
struct roster_birth {
	__u32 epoch;	  /* of the slot's present or last handle */
	__u32 npending;	  /* tasks that carry the handle as pending */
	__u32 nlive;	  /* member tasks that have not exited */
	__u32 ntasks;	  /* member tasks that have not been freed */
	__u64 exe_ino;	  /* the held runtime's executable */
	__u64 from_mntns; /* inode numbers of the runtime's namespaces, taken at its exec */
	__u32 from_netns;
	__u32 ncgroups;	   /* child cgroups entered */
	__u64 from_cgroup; /* cgroup id of the runtime */
	__u64 leader;	   /* address of the runtime's task: tells it from its forked children */
	__u64 init;	   /* address of the container's init task */
};
ROSTER_ASSERT_SIZE(struct roster_birth, 64);

/* roster_lineage: hash, address of a task_struct -> what it carries. Written by BPF only. */
struct roster_lineage {
	__u64 pending; /* handle on its way to a container's init; 0: none */
	__u64 member;  /* handle of the container the task belongs to; 0: none */
	__u32 flags;   /* ROSTER_L_* */
	__u32 exited;  /* ROSTER_ALIVE and the like */
};
#define ROSTER_L_CARRIER                                                                           \
	(1U << 1) /* counted in roster_hot.carriers: pending is set, or RUNTIME is */
#define ROSTER_L_RUNTIME                                                                           \
	(1U << 0) /* the task's executable is, or was until it is replaced, a runtime's */
#define ROSTER_ALIVE 0
/*
 * Has passed sched_process_exit. Found at the address of a task that lives, it is an earlier
 * task's whose sched_process_free nobody was told of: a kernel may run no program in the interrupts
 * of some tasks.
 */
#define ROSTER_EXITED 1
/* Is buried: the entry is void, whoever finds it may reuse it. */
#define ROSTER_FREED 2
/* Was void and is being filled for another task. */
#define ROSTER_TAKEN 3
ROSTER_ASSERT_SIZE(struct roster_lineage, 24);

/* roster_arm: hash, thread id in the host's pid namespace -> the handle that its exec takes. */
struct roster_armed {
	__u64 handle;
};

/*
 * roster_runtime: hash, inode number of a runtime's executable -> its device in the kernel's
 * encoding (major << 20 | minor), or 0 for any: file systems like overlay show userspace another
 * device than the kernel's.
 */

/* roster_events: ring buffer of struct roster_event. */
enum roster_event_type {
	ROSTER_EV_BOUND = 1,	   /* the announced container's init took its handle */
	ROSTER_EV_PROVISIONAL = 2, /* a container nobody had announced */
	ROSTER_EV_DROPPED = 3, /* the last carrier of a pending handle is gone; the slot is free */
	ROSTER_EV_ENDED = 4,   /* the last member task has exited */
	ROSTER_EV_CLEARED =
	    5, /* the last member task is freed, identities are gone, the slot is free */
};

struct roster_event {
	__u32 type; /* enum roster_event_type */
	__u32 pid;  /* of the task concerned, host's pid namespace */
	__u64 handle;
	__u32 flags; /* ROSTER_F_* of the slot */
	__u32 unused;
};
ROSTER_ASSERT_SIZE(struct roster_event, 4 + 4 + 8 + 4 + 4);

#endif /* ROSTER_LINEAGE_ABI_H */

/* SPDX-License-Identifier: (LGPL-2.1 OR BSD-2-Clause) */
/*
 * The layouts of Roster's pinned maps, major version 1: the contract with every program that opens
 * them.
 *
 * Read by BPF C, C11 and C++20 alike. Fixed-width little-endian-or-native integers, explicit
 * padding, no pointers. Frozen within a major version: a field is never moved, resized or given
 * another meaning; what is added takes reserved room, which reads as zero before. docs/abi.md is
 * the prose that belongs to it.
 */
#ifndef ROSTER_ABI_H
#define ROSTER_ABI_H

#ifdef __bpf__
/* The BPF target has no C library; linux/types.h or a generated vmlinux.h must come first. */
#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif
#else
#include <linux/types.h>
#endif

#if defined(__cplusplus)
#define ROSTER_ASSERT_SIZE(type, bytes) static_assert(sizeof(type) == (bytes), #type)
#else
#define ROSTER_ASSERT_SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type)
#endif

#define ROSTER_ABI_MAJOR 1
#define ROSTER_ABI_MINOR 0

/* Where the pins live; one directory per major version. */
#define ROSTER_BPFFS   "/sys/fs/bpf"
#define ROSTER_PIN_DIR "/sys/fs/bpf/roster/v1"

/* Map bounds. Each is part of the contract: libbpf refuses a reused pin whose max_entries differ.
 */
#define ROSTER_MAX_SLOTS      16384 /* containers and pods at one time; slot 0 is not used */
#define ROSTER_MAX_IDENTITIES 16384 /* entries in each of roster_mntns and roster_netns */
#define ROSTER_MAX_CGROUPS    32768 /* a container's own cgroup and its children */
#define ROSTER_MAX_RECORDS    32768 /* living containers, pods, and tombstones */

/*
 * A handle names a container or pod: slot number in the low half, epoch in the high half. 0 names
 * nothing. The epoch of a slot grows with each use, so a handle is never used twice within a boot.
 */
#define ROSTER_HANDLE_SLOT(handle)	((__u32)((handle)&0xffffffffULL))
#define ROSTER_HANDLE_EPOCH(handle)	((__u32)((handle) >> 32))
#define ROSTER_MAKE_HANDLE(epoch, slot) (((__u64)(epoch) << 32) | (__u32)(slot))

/* What a slot is doing. */
enum roster_state {
	ROSTER_FREE = 0,     /* nobody's: handle is 0 */
	ROSTER_RESERVED = 1, /* being filled; no identity points to it */
	ROSTER_PENDING = 2,  /* armed at the hold, waiting for the container's init */
	ROSTER_BOUND = 3,    /* the container's init took it: created or running */
	ROSTER_EXITING = 4,  /* init has exited; other tasks of the container may still run */
	ROSTER_ENDED = 5, /* the last task has exited; identities still lead here for late events */
};

/* roster_membership.flags */
#define ROSTER_F_PROVISIONAL  (1U << 0) /* seen by the kernel alone, not resolved by userspace */
#define ROSTER_F_HOST_NETWORK (1U << 1) /* in the host's network namespace, not in roster_netns */
#define ROSTER_F_HOST_PID     (1U << 2) /* shares the host's pid namespace */
#define ROSTER_F_POD	      (1U << 3) /* a pod: netns_cookie is meaningful, mntns and cgroup 0 */
#define ROSTER_F_NESTED	      (1U << 5) /* parent names another container */
#define ROSTER_F_JOIN	      (1U << 6) /* carries an `exec <id>` into parent; never BOUND */
#define ROSTER_F_SANDBOX      (1U << 7) /* a pod's pause container */
#define ROSTER_F_SHARED_MNTNS                                                                      \
	(1U << 8) /* another container has, or has had, the same mount namespace */
#define ROSTER_F_SHARED_NETNS (1U << 9) /* the same of its network namespace */

#define ROSTER_TRACER_WORDS 2
#define ROSTER_MAX_TRACERS  (ROSTER_TRACER_WORDS * 64)

/*
 * roster_slot: array, mmapable, slot -> membership. What a tracer reads per event. Every field is
 * written by single aligned stores. No identity leads to a slot before `handle` is set; a field may
 * be 0 for a moment after that. `handle` becomes 0 before the slot is free.
 */
struct roster_membership {
	__u64 handle; /* whose slot this is now; 0: free. Compare before trusting the rest */
	__u32 state;  /* enum roster_state */
	__u32 flags;  /* ROSTER_F_* */
	__u64 parent; /* handle of the container around this one; 0: none */
	__u64 pod;    /* handle of the pod; 0: none */
	__u64 tracers[ROSTER_TRACER_WORDS]; /* bit N: tracer N's selector matches */
	__u64 mntns_id;			    /* mount namespace's never-reused id; 0: unknown */
	__u64 netns_cookie;		    /* network namespace's cookie; 0: unknown */
	__u64 cgroup_id;		    /* cgroup id of init at its exec; 0: unknown */
	__u64 mntns;			    /* inode number of the mount namespace; 0: unknown */
	__u32 netns;	/* inode number of the network namespace; 0: unknown, or the host's */
	__u32 init_pid; /* init's pid in the host's pid namespace; 0: unknown */
	__u64 bound_ns; /* CLOCK_BOOTTIME when init took the handle, or was adopted; 0: not yet */
	__u64 pid_ns;	/* inode number of init's pid namespace; 0: unknown */
	__u64 reserved[3]; /* zero */
};
ROSTER_ASSERT_SIZE(struct roster_membership,
		   8 + 4 + 4 + 8 + 8 + 16 + 3 * 8 + 8 + 4 + 4 + 8 + 8 + 3 * 8);

/* roster_record.flags */
#define ROSTER_R_TOMBSTONE	  (1U << 0) /* the container has ended; kept for a grace period */
#define ROSTER_R_TRUNCATED	  (1U << 1) /* some text below did not fit and was cut */
#define ROSTER_R_LABELS_TRUNCATED (1U << 2) /* labels holds the first ones only, each whole */

/*
 * roster_record: hash, handle -> record. Text is UTF-8, ends with a NUL and is padded with NULs; an
 * empty text means unknown.
 */
struct roster_record {
	__u64 handle;	     /* the key again */
	__u32 flags;	     /* ROSTER_R_* */
	__u32 pid;	     /* init's pid in the host's pid namespace; 0: unknown */
	__u64 created_at_ns; /* CLOCK_REALTIME when Roster first knew of it */
	__u64 started_at_ns; /* CLOCK_REALTIME when init took the handle; 0: not yet */
	__u64 ended_at_ns;   /* CLOCK_REALTIME of the end; 0: lives */
	__u64 mntns;	     /* inode number; 0: unknown */
	__u64 netns;	     /* inode number; 0: unknown */
	__u64 cgroup_id;     /* 0: unknown */
	char runtime[16];    /* engine: docker, containerd, podman, cri-o; or the OCI runtime: runc,
				crun, ... */
	char id[80];	     /* container id as its runtime knows it */
	char name[64];	     /* the engine's name of the container */
	char pod_namespace[64];
	char pod_name[128];
	char pod_uid[40];
	char k8s_container[64]; /* the container's name within its pod */
	char image[128];
	char labels[216]; /* k=v, each ended by a NUL, sorted by key; a further NUL ends the list */
};
ROSTER_ASSERT_SIZE(struct roster_record,
		   8 + 4 + 4 + 6 * 8 + 16 + 80 + 64 + 64 + 128 + 40 + 64 + 128 + 216);

/* roster_abi.cgroup_source */
#define ROSTER_CGROUP_DEFAULT 0 /* ids of the default hierarchy (cgroup v2) */
/* any other value N: ids of the v1 hierarchy of the kernel's cgroup subsystem number N - 1 */

/* roster_abi: array of one, mmapable. */
struct roster_abi {
	__u32 major;	  /* ROSTER_ABI_MAJOR */
	__u32 minor;	  /* ROSTER_ABI_MINOR */
	__u8 boot_id[16]; /* /proc/sys/kernel/random/boot_id as bytes: a pin of another boot is void
			   */
	__u64 daemon_start_ns; /* CLOCK_BOOTTIME when the writing daemon started; 0: never */
	__u64 heartbeat_ns;    /* CLOCK_BOOTTIME, renewed every second while the daemon lives */
	__u64 changes; /* grows with every change of a slot, identity or record made by userspace or
			  BPF */
	__u32 daemon_pid;    /* in the host's pid namespace; 0: stopped cleanly */
	__u32 cgroup_source; /* which hierarchy's ids roster_cgroup and roster_membership hold */
	__u64 host_mntns;    /* inode numbers of the host's namespaces */
	__u64 host_netns;
	__u64 host_pidns;
	__u64 reserved[6]; /* zero */
};
ROSTER_ASSERT_SIZE(struct roster_abi, 4 + 4 + 16 + 3 * 8 + 4 + 4 + 3 * 8 + 6 * 8);

/* roster_stats: per-CPU array, counter number -> u64. Sum over CPUs. Numbers are never reused. */
enum roster_stat {
	ROSTER_STAT_BOUND = 0,	       /* containers whose init took its handle */
	ROSTER_STAT_PROVISIONAL = 1,   /* containers that the kernel saw and nobody had announced */
	ROSTER_STAT_JOINED = 2,	       /* `exec` into a container */
	ROSTER_STAT_DROPPED = 3,       /* armed handles whose container never came */
	ROSTER_STAT_ENDED = 4,	       /* containers whose last task has gone */
	ROSTER_STAT_SLOTS_FULL = 5,    /* no free slot */
	ROSTER_STAT_MNTNS_FULL = 6,    /* roster_mntns refused an entry */
	ROSTER_STAT_NETNS_FULL = 7,    /* roster_netns refused an entry */
	ROSTER_STAT_CGROUP_FULL = 8,   /* roster_cgroup refused an entry */
	ROSTER_STAT_RECORD_FULL = 9,   /* roster_record refused an entry */
	ROSTER_STAT_LINEAGE_LOST = 10, /* a task could not be entered into the lineage */
	ROSTER_STAT_TASK_STORAGE_LOST =
	    11, /* roster_task refused; look-ups fall back to the identity maps */
	ROSTER_STAT_EVENTS_LOST = 12, /* messages to userspace that found the ring buffer full */
	ROSTER_STAT_STALE_LOOKUPS =
	    13,			/* identity entries found to be of an earlier namespace or cgroup */
	ROSTER_STAT_HOLDS = 14, /* events of runtimes that were held: execs, reads of pid files */
	ROSTER_STAT_HOLDS_EXPIRED =
	    15,			     /* holds that the daemon did not answer within the deadline */
	ROSTER_STAT_UNRESOLVED = 16, /* provisional containers that userspace could not name */
	ROSTER_STAT_BAD_BUNDLE = 18, /* bundles, config.json or pid files that could not be read */
	/* As SLOTS_FULL to CGROUP_FULL, found by the daemon: a number has one writer, BPF or it. */
	ROSTER_STAT_SLOTS_FULL_DAEMON = 20,
	ROSTER_STAT_MNTNS_FULL_DAEMON = 21,
	ROSTER_STAT_NETNS_FULL_DAEMON = 22,
	ROSTER_STAT_CGROUP_FULL_DAEMON = 23,
	ROSTER_STAT_CGROUPS_BOUND = 24, /* child cgroups beyond one container's part of the map */
	ROSTER_STAT_TASKS_BOUND = 25,	/* tasks beyond one container's part of the lineage */
	ROSTER_STAT_MAX = 32,
};

#endif /* ROSTER_ABI_H */

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One thing that happened, as the sensor and the gate tell it to the engine.
 *
 * The kernel's record (kernel/khien_abi.h) ends in the sensor; the store's row
 * begins in the engine; in between it is this.  Strings are borrowed: after
 * event_get() they point into the message.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

enum event_class {
	EVENT_CRITICAL = 1, /* never aggregated, lost last */
	EVENT_BULK = 2,
	EVENT_AGENT = 3, /* what the agent says of itself; made by user space */
};

/* The values are stored and sent: append only. */
enum event_type {
	EVENT_FORK = 1,
	EVENT_EXEC = 2,
	EVENT_EXIT = 3,
	EVENT_SEED = 4, /* a process that was there before the sensor */
	EVENT_CREATE = 10,
	EVENT_OPEN = 11,  /* for writing */
	EVENT_CLOSE = 12, /* after writing; from the gate */
	EVENT_RENAME = 13,
	EVENT_UNLINK = 14,
	EVENT_LINK = 15,
	EVENT_SYMLINK = 16,
	EVENT_CHMOD = 17,
	EVENT_CHOWN = 18,
	EVENT_XATTR = 19,
	EVENT_MKDIR = 20,
	EVENT_RMDIR = 21,
	EVENT_READ = 22, /* a sensitive file was opened for reading */
	EVENT_MOUNT = 30,
	EVENT_UMOUNT = 31,
	EVENT_STOP =
		32, /* an execution where the gate cannot look: see flags */
	EVENT_LOSS = 40,  /* `count` events of class `lost_class` are missing */
	EVENT_PEER = 41,  /* a process of ours started, died, was killed */
	EVENT_CLOCK = 42, /* the wall clock moved against boot time */
	EVENT_CONFIG = 43,   /* configuration read again, or refused */
	EVENT_STORE = 44,    /* the store failed, works again, was set aside */
	EVENT_ACT = 45,	     /* processes killed, a file quarantined, ... */
	EVENT_LISTENER = 46, /* another fanotify group can hold up opens */
	EVENT_UPDATE = 47,   /* a release of rules found, tried, put in force */
	EVENT_CONNECT = 50,  /* TCP, by us to a peer */
	EVENT_ACCEPT = 51,   /* TCP, by a peer to us */
	EVENT_DISCONNECT = 52,
	EVENT_DATAGRAM = 53,	/* the first one of a socket to a peer */
	EVENT_DNS = 54,		/* a question; path2 is the name */
	EVENT_CREDENTIALS = 60, /* changed by a system call or an exec */
	EVENT_ESCALATE = 61,	/* changed, and no system call did it */
	EVENT_PTRACE = 62,	/* attached to, or wrote to, another process */
	EVENT_VM_WRITE = 63,	/* process_vm_writev(2) */
	EVENT_MEM_OPEN = 64,	/* another's /proc/PID/mem, for writing */
	EVENT_MEMFD_CREATE = 65,
	EVENT_MAP_EXEC = 66, /* written memory becomes executable */
	EVENT_MODULE_LOAD = 67,
	EVENT_MODULE_UNLOAD = 68,
	EVENT_BPF_LOAD = 69,
	EVENT_UNSHARE = 70,
	EVENT_SETNS = 71,
	EVENT_CHROOT = 72,
	EVENT_PIVOT_ROOT = 73,
	EVENT_GUARD = 74,      /* what the agent's guard of itself refused */
	EVENT_MAP_FILE = 75,   /* code of a file that not only root can change,
				  or that the gate does not see */
	EVENT_MAP_DENIED = 76, /* a bad file was to be mapped as code */
};

#define EVENT_TYPES 96 /* every type is below */

/* Where events of a type are kept, and what `khienctl events --type` calls all
   of them. */
enum event_family {
	EVENT_OF_NONE, /* no such type */
	EVENT_OF_PROCESS,
	EVENT_OF_FILE,
	EVENT_OF_AGENT,
	EVENT_OF_NETWORK,
	EVENT_OF_PRIVILEGE,
};

/* Processors that there are not: what programs of ours number themselves. */
enum event_cpu {
	EVENT_CPU_MOUNTS = 0xfffa,  /* events of khien-mounts */
	EVENT_CPU_PEER = 0xfffb,    /* what khiend says of processes */
	EVENT_CPU_VERDICT = 0xfffc, /* verdicts of the gate */
	EVENT_CPU_GATE = 0xfffd,    /* events of the gate */
	EVENT_CPU_SENSOR = 0xfffe,  /* aggregates of the sensor */
};

enum event_flag {
	EVENT_MEMFD = 1 << 0,	       /* executable lives in a memfd */
	EVENT_DELETED = 1 << 1,	       /* its name was removed */
	EVENT_NO_LINK = 1 << 2,	       /* its inode has no link at all */
	EVENT_ARGS_CUT = 1 << 3,       /* args is shorter than args_size */
	EVENT_PATH_CUT = 1 << 4,       /* a path was too long or too deep */
	EVENT_PATH_BY_CALLER = 1 << 5, /* path is what the caller passed, joined
					  to its directory, not what the kernel
					  resolved */
	EVENT_SEEN_LATE = 1 << 6,      /* told after the fact by a restart */
	EVENT_ARGS_UNREADABLE = 1 << 7, /* argument pages were not present */
	EVENT_DIRECTORY = 1 << 8,	/* the object is a directory */
	EVENT_AGGREGATE = 1 << 9, /* `count` like events of one process in one
				     directory or with one peer; path, or
				     remote, is the last one's */
	EVENT_STOPPED = 1 << 10,  /* seed: the process is stopped by a signal */
	EVENT_HELD = 1 << 11,	  /* stop: until its file is judged */
	EVENT_KILLED = 1 << 12,	  /* stop: before its first instruction */
	EVENT_FOREIGN = 1 << 13,  /* stop: of a file system that is known, and
				    that the gate does not ask about */
	EVENT_SERVED = 1 << 15,	  /* a process answers for the file: FUSE */
	EVENT_PRIVILEGED = 1 << 14,  /* stop: the caller has CAP_SYS_ADMIN */
	EVENT_IO_URING = 1 << 16,    /* not by a system call of its own */
	EVENT_COMPAT = 1 << 17,	     /* by a 32-bit system call */
	EVENT_BY_SOCKET = 1 << 18,   /* the process is whose socket it is */
	EVENT_NO_CALL = 1 << 19,     /* no system call was seen to do it */
	EVENT_WRITTEN = 1 << 20,     /* map_exec: was written to */
	EVENT_REQUESTED = 1 << 21,   /* map_exec: both were asked for at once;
				       what was before is not known */
	EVENT_MALFORMED = 1 << 22,   /* dns: no question that could be read */
	EVENT_EXCHANGED = 1 << 23,   /* rename: each has the other's name now */
	EVENT_UNCONFIRMED = 1 << 24, /* what was asked for; whether it came to
					pass, or on just that path, could not
					be seen */
};

/* Not set: ids are UINT32_MAX (loginuid, session), strings NULL or "". */
struct event {
	uint16_t type;	   /* enum event_type */
	uint16_t class;	   /* enum event_class */
	uint32_t flags;	   /* enum event_flag */
	uint32_t cpu;	   /* the numbering: see KHIEN_NUMBERINGS;
			      sequence counts up per class and numbering */
	uint64_t sequence; /* 0: has none (seed) */
	uint64_t boot_ns;  /* CLOCK_BOOTTIME */
	uint64_t count;	   /* how many happened: 1 but for aggregates, losses */

	uint32_t pid; /* thread group, initial pid namespace */
	uint32_t tid;
	uint32_t ns_pid;   /* as the process itself sees it */
	uint64_t start_ns; /* boot time of the leader's start; 0: unknown */
	uint32_t ppid;	   /* real parent's thread group */
	uint64_t parent_start_ns;
	uint32_t uid, euid, gid, egid;
	uint32_t loginuid; /* UINT32_MAX: none */
	uint32_t session;  /* audit session; UINT32_MAX: none */
	uint64_t caps;	   /* effective capabilities */
	uint64_t cgroup_id;
	uint64_t mount_ns; /* inode number of the mount namespace */
	const char *comm;

	const char *path;    /* exec: the resolved file; else the object */
	const char *path2;   /* exec: as invoked, made absolute; rename, link:
				the new name; symlink: what it points at;
				mount: the source; peer, config: a message */
	const char *script;  /* exec: the script that an interpreter runs */
	const char *cwd;     /* exec only */
	const char *tty;     /* "" when none */
	const char *name;    /* xattr's name; mount's fs type; peer's role */
	const uint8_t *args; /* exec: argv, each ended by NUL */
	size_t args_len;
	uint64_t args_size; /* bytes of argv before it was cut */

	uint64_t device; /* makedev() form of user space */
	uint64_t inode;
	uint64_t size;	   /* bytes */
	uint32_t mode;	   /* st_mode after the event; chmod: the new one */
	uint32_t old_mode; /* open: open(2) flags; else 0 */
	uint32_t file_uid, file_gid; /* after the event */
	uint32_t links;

	int32_t exit_code;    /* exit: 0 to 255 */
	uint32_t exit_signal; /* exit: the signal that ended it, or 0 */
	uint32_t lost_class;  /* loss: enum event_class */

	/* network; addresses in network order, IPv4 in the first four bytes */
	uint8_t local[16], remote[16];
	uint16_t local_port, remote_port;
	uint16_t net_family;	 /* AF_INET, AF_INET6, ... */
	uint8_t protocol;	 /* IPPROTO_TCP, IPPROTO_UDP, ... */
	uint64_t sent, received; /* disconnect: bytes */
	uint64_t age_ns;	 /* disconnect: since it was connected */

	/* privilege: see struct khien_privilege for what each means */
	uint32_t target_pid; /* thread group; 0: none */
	uint64_t target_start_ns;
	uint32_t old_uid, old_euid, old_gid, old_egid;
	uint64_t old_caps;
	uint64_t value2;

	/* privilege; dns: the question's type; disconnect: enum event_by */
	uint64_t value;
};

/* Who had begun what a disconnect ends. */
enum event_by { EVENT_BY_UNKNOWN, EVENT_BY_US, EVENT_BY_PEER };

/* The longest strings that event_get() accepts, in bytes without the NUL. */
#define EVENT_PATH_MAX 8192
#define EVENT_ARGS_MAX 32768

/* All zero, but the ids that are "none" and a count of 1. */
void event_init(struct event *event, uint16_t type, uint16_t class);

/* Appends the event; the buffer's `failed` tells when it did not fit. */
void event_put(struct buf *buf, const struct event *event);

/*
 * Reads one event.  Returns 0, or -EBADMSG when it is short, a length is above
 * its maximum, or type or class is unknown.  Strings are never NULL afterwards.
 */
int event_get(struct buf *buf, struct event *ret_event);

/*
 * The type's word as in `khienctl events --type`: "exec", "chmod", ...; NULL
 * when there is no such type.
 */
const char *event_type_name(uint16_t type);

/* The opposite of event_type_name(); 0 when the word is not known. */
uint16_t event_type_find(const char *name);

/* EVENT_OF_NONE when there is no such type. */
enum event_family event_family(uint16_t type);

/*
 * Through which of the kernel's rings events of that type come: EVENT_CRITICAL
 * or EVENT_BULK; 0 when they come through none.
 */
uint16_t event_ring(uint16_t type);

/* "critical", "bulk", "agent"; NULL when there is no such class. */
const char *event_class_name(uint16_t class);

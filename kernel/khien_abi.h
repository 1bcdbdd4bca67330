/* SPDX-License-Identifier: GPL-2.0-or-later - long: both sides share but one */
/*
 * What the BPF programs tell the sensor, and what the sensor tells them.
 *
 * A record is one of the structs below, followed by its texts: as many bytes
 * each as len[] says, in that order, without gaps.  A text is one of
 *   string  bytes and one NUL;
 *   walk    a path as its components from the last one up to the root, each a
 *           string, and an empty string when the root was reached.  "/a/b" is
 *           "b", "a", "".  Without the empty string the beginning is missing;
 *   bytes   just bytes.
 * A text of length 0 is not there.
 *
 * Integers are the machine's own: records never leave it.  Includer: include
 * <linux/types.h> first.
 */
#pragma once

/* Programs, maps and records of another number do not fit together. */
#define KHIEN_ABI 2

#define KHIEN_CRITICAL 1
#define KHIEN_BULK 2
#define KHIEN_CLASSES 2

/* The same numbers as enum event_type of agent/lib/event.h. */
#define KHIEN_FORK 1
#define KHIEN_EXEC 2
#define KHIEN_EXIT 3
#define KHIEN_SEED 4
#define KHIEN_CREATE 10
#define KHIEN_OPEN 11
#define KHIEN_RENAME 13
#define KHIEN_UNLINK 14
#define KHIEN_LINK 15
#define KHIEN_SYMLINK 16
#define KHIEN_CHMOD 17
#define KHIEN_CHOWN 18
#define KHIEN_XATTR 19
#define KHIEN_MKDIR 20
#define KHIEN_RMDIR 21
#define KHIEN_READ 22
#define KHIEN_MOUNT 30
#define KHIEN_UMOUNT 31
#define KHIEN_STOP 32
#define KHIEN_CONNECT 50
#define KHIEN_ACCEPT 51
#define KHIEN_DISCONNECT 52
#define KHIEN_DATAGRAM 53
#define KHIEN_DNS 54
#define KHIEN_CREDENTIALS 60
#define KHIEN_ESCALATE 61
#define KHIEN_PTRACE 62
#define KHIEN_VM_WRITE 63
#define KHIEN_MEM_OPEN 64
#define KHIEN_MEMFD_CREATE 65
#define KHIEN_MAP_EXEC 66
#define KHIEN_MODULE_LOAD 67
#define KHIEN_MODULE_UNLOAD 68
#define KHIEN_BPF_LOAD 69
#define KHIEN_UNSHARE 70
#define KHIEN_SETNS 71
#define KHIEN_CHROOT 72
#define KHIEN_PIVOT_ROOT 73
#define KHIEN_GUARD 74
#define KHIEN_MAP_FILE 75
#define KHIEN_MAP_DENIED 76

/* The same bits as enum event_flag, and from bit 29 on what is only here. */
#define KHIEN_MEMFD (1u << 0)
#define KHIEN_DELETED (1u << 1)
#define KHIEN_NO_LINK (1u << 2)
#define KHIEN_ARGS_CUT (1u << 3)
#define KHIEN_PATH_CUT (1u << 4)
#define KHIEN_PATH_BY_CALLER (1u << 5)
#define KHIEN_ARGS_UNREADABLE (1u << 7)
#define KHIEN_DIRECTORY (1u << 8)
#define KHIEN_AGGREGATE (1u << 9)
#define KHIEN_STOPPED (1u << 10)
#define KHIEN_HELD (1u << 11)
#define KHIEN_KILLED (1u << 12)
#define KHIEN_FOREIGN (1u << 13)
#define KHIEN_PRIVILEGED (1u << 14)
#define KHIEN_SERVED (1u << 15)
#define KHIEN_IO_URING (1u << 16)
#define KHIEN_COMPAT (1u << 17)
#define KHIEN_BY_SOCKET (1u << 18)
#define KHIEN_NO_CALL (1u << 19)
#define KHIEN_WRITTEN (1u << 20)
#define KHIEN_REQUESTED (1u << 21)
#define KHIEN_MALFORMED (1u << 22)
#define KHIEN_EXCHANGED (1u << 23)
#define KHIEN_UNCONFIRMED (1u << 24)
#define KHIEN_WALKED2 (1u << 29)  /* so is the second path */
#define KHIEN_SCRIPT (1u << 30)	  /* exec: `invoked` is a script's name */
#define KHIEN_READ_TOO (1u << 30) /* open: in the making: tell a read, too */
#define KHIEN_WALKED (1u << 31)	  /* the first path is a walk */

/* The one program of the agent whose exec and exit are told. */
#define KHIEN_PROOF "khien-proof"

#define KHIEN_ID_NONE 0xffffffffu

#define KHIEN_COMM_SIZE 16
#define KHIEN_PATH_SIZE 4096 /* PATH_MAX: a string with its NUL */
#define KHIEN_NAME_SIZE 256  /* NAME_MAX and a NUL; also xattr's name */
#define KHIEN_TTY_SIZE 64    /* tty_struct.name */
#define KHIEN_ARGS_SIZE 32768
#define KHIEN_RECORD_SIZE 65536 /* no record with its texts is longer */

struct khien_head {
	__u16 type;
	__u16 class;
	__u32 flags;
	__u32 cpu;	/* the numbering; see KHIEN_NUMBERINGS */
	__u32 size;	/* of the record with its texts */
	__u64 sequence; /* from 1, per class and cpu; taken also when lost */
	__u64 boot_ns;
	__u64 start_ns; /* of the thread group's leader */
	__u32 pid;	/* thread group */
	__u32 tid;
	__u32 ppid;
	__u32 uid;
	char comm[KHIEN_COMM_SIZE];
};
_Static_assert(sizeof(struct khien_head) == 72, "khien_head");

/* Who acts: for a fork the child. */
struct khien_actor {
	__u64 parent_start_ns;
	__u64 cgroup_id;
	__u64 mount_ns;
	__u64 caps;
	__u32 ns_pid;
	__u32 euid;
	__u32 gid;
	__u32 egid;
	__u32 loginuid; /* KHIEN_ID_NONE: none */
	__u32 session;
};
_Static_assert(sizeof(struct khien_actor) == 56, "khien_actor");

struct khien_inode {
	__u64 inode;
	__u64 size;
	__u32 device; /* as the kernel has it: major << 20 | minor */
	__u32 mode;
	__u32 uid;
	__u32 gid;
	__u32 links;
	__u32 pad;
};
_Static_assert(sizeof(struct khien_inode) == 40, "khien_inode");

struct khien_fork {
	struct khien_head head;
	struct khien_actor actor;
};
_Static_assert(sizeof(struct khien_fork) == 128, "khien_fork");

struct khien_exit {
	struct khien_head head;
	__s32 code; /* 0 to 255 */
	__u32 signal;
};
_Static_assert(sizeof(struct khien_exit) == 80, "khien_exit");

/* Also a seed, which has no cpu, no sequence, no invoked and no args. */
#define KHIEN_EXEC_PATH 0    /* walk: the file that runs */
#define KHIEN_EXEC_CWD 1     /* walk */
#define KHIEN_EXEC_ROOT 2    /* walk; only when it is not "/" */
#define KHIEN_EXEC_INVOKED 3 /* string: as the caller named it */
#define KHIEN_EXEC_TTY 4     /* string */
#define KHIEN_EXEC_ARGS 5    /* bytes: argv, each ended by NUL */
#define KHIEN_EXEC_TEXTS 6

struct khien_exec {
	struct khien_head head;
	struct khien_actor actor;
	struct khien_inode file;
	__u64 args_size; /* before it was cut */
	__u32 len[KHIEN_EXEC_TEXTS];
};
_Static_assert(sizeof(struct khien_exec) == 200, "khien_exec");

#define KHIEN_FILE_PATH 0  /* string, or walk with KHIEN_WALKED */
#define KHIEN_FILE_BASE 1  /* walk: what path is relative to */
#define KHIEN_FILE_PATH2 2 /* string */
#define KHIEN_FILE_BASE2 3 /* walk: what path2 is relative to */
#define KHIEN_FILE_NAME 4  /* string: xattr's name, mount's type */
#define KHIEN_FILE_TEXTS 5

struct khien_file {
	struct khien_head head;
	struct khien_inode file; /* all 0 where only a name is known */
	__u64 mount_ns;
	__u32 value; /* open, create: flags of open(2) */
	__u32 len[KHIEN_FILE_TEXTS];
};
_Static_assert(sizeof(struct khien_file) == 144, "khien_file");

/*
 * Network.  Addresses are in network order, IPv4 in the first four bytes; ports
 * are numbers.  For a socket whose owner is not the current task `head` is of
 * the process that connected or accepted it, or its pid is 0: unknown.
 */
#define KHIEN_NET_QUESTION 0 /* bytes: a DNS message, from its header on */
#define KHIEN_NET_TEXTS 1
#define KHIEN_QUESTION_SIZE 512 /* RFC 1035, section 2.3.4 */

/* `value` of a disconnect, as enum event_by: who had begun it; 0: unknown. */
#define KHIEN_BY_US 1
#define KHIEN_BY_PEER 2

struct khien_net {
	struct khien_head head;
	__u64 cookie;	/* of the socket; 0: unknown */
	__u64 sent;	/* bytes; disconnect only */
	__u64 received; /* bytes; disconnect only */
	__u64 age_ns;	/* since it was connected; 0: unknown */
	__u8 local[16];
	__u8 remote[16];
	__u16 local_port;
	__u16 remote_port;
	__u16 family;  /* AF_INET, AF_INET6, or what else it was */
	__u8 protocol; /* IPPROTO_TCP, ... */
	__u8 pad;
	__u32 value;
	__u32 len[KHIEN_NET_TEXTS];
};
_Static_assert(sizeof(struct khien_net) == 152, "khien_net");

/*
 * Privilege and injection.  `actor` and `head.uid` are as they are after the
 * event; old_... as they were before it.
 *
 *   credentials  old_...: the identity and capabilities before it; value:
 *               KHIEN_EXEC when an exec changed them, 0: a system call
 *   escalate    old_... as last known; value: where it was noticed, KHIEN_FORK,
 *               KHIEN_EXEC, KHIEN_EXIT, or 0: at a system call
 *   ptrace      target; value: the request
 *   vm_write    target; value: bytes written
 *   mem_open    target; value: flags of open(2)
 *   memfd_create  value: its flags; name
 *   map_exec    value: the new protection; value2: the address; file and path
 *               of what is mapped
 *   module_load, module_unload  name; file and path when it came by a
 *               descriptor
 *   bpf_load    value: type of the program; name
 *   unshare     value: flags; by clone(2): target is the child; else old_...
 *   setns       value: CLONE_NEW... of the namespaces, 0: unknown; old_...
 *   chroot      path
 *   pivot_root  path and file of the new root, name: its file-system type
 *   guard       value: KHIEN_GUARD_..., value2: see there; target or path: on
 *               what; it was refused
 *   map_file    value: the protection; value2: the address; file and path of
 *               what is mapped as code, which not only root could change
 *   map_denied  value: the protection asked for; file and path of what was
 *               found bad
 */
#define KHIEN_PRIVILEGE_PATH 0 /* walk */
#define KHIEN_PRIVILEGE_NAME 1 /* string */
#define KHIEN_PRIVILEGE_TEXTS 2

struct khien_privilege {
	struct khien_head head;
	struct khien_actor actor;
	struct khien_inode file; /* all 0 where there is none */
	__u64 old_caps;
	__u64 value;
	__u64 value2;
	__u64 target_start_ns;
	__u32 target_pid; /* thread group; 0: none, or not found */
	__u32 old_uid;
	__u32 old_euid;
	__u32 old_gid;
	__u32 old_egid;
	__u32 count; /* like ones since the last that was told; this one too */
	__u32 len[KHIEN_PRIVILEGE_TEXTS];
};
_Static_assert(sizeof(struct khien_privilege) == 232, "khien_privilege");

/*
 * What a system call does to privileges, a byte for each number in a table of
 * two halves as that of struct khien_call.  An entry of that table whose type
 * is KHIEN_PASSED belongs to this one.
 */
#define KHIEN_PASSED 255
#define KHIEN_MARK 254	/* fanotify_mark(2): KHIEN_HANDLER_MARK's */
#define KHIEN_ACT_UID 1 /* setuid, setreuid, setresuid, setfsuid */
#define KHIEN_ACT_GID 2
#define KHIEN_ACT_CAPS 3
#define KHIEN_ACT_UNSHARE 4
#define KHIEN_ACT_SETNS 5
#define KHIEN_ACT_PTRACE 6
#define KHIEN_ACT_VM_WRITE 7
#define KHIEN_ACT_OPEN 8
#define KHIEN_ACT_MEMFD 9
#define KHIEN_ACT_MMAP 10
#define KHIEN_ACT_OLD_MMAP 11 /* its arguments are in memory: i386 */
#define KHIEN_ACT_MPROTECT 12
#define KHIEN_ACT_INIT_MODULE 13
#define KHIEN_ACT_FINIT_MODULE 14
#define KHIEN_ACT_DELETE_MODULE 15
#define KHIEN_ACT_BPF 16
#define KHIEN_ACT_CHROOT 17
#define KHIEN_ACT_PIVOT_ROOT 18

/* Who goes on with a system call: places in the map `handlers`. */
#define KHIEN_HANDLER_PRIVILEGE 0
#define KHIEN_HANDLER_MAPPING 1
#define KHIEN_HANDLER_ACCEPT 2 /* calls of the type KHIEN_ACCEPT */
#define KHIEN_HANDLER_MARK 3
#define KHIEN_HANDLERS 4

/*
 * Who numbers records.  What is not interrupted but by what ends before it goes
 * on has two numberings a cpu, its own and one for whoever interrupts it while
 * it sends; a program that may be preempted claims one of the lanes.  A number
 * without a record is a loss: so is each of KHIEN_NUMBERING_NONE, of whoever
 * found no numbering.
 */
#define KHIEN_LANES 7
#define KHIEN_NUMBERING_NONE KHIEN_LANES
#define KHIEN_NUMBERINGS(cpus) (KHIEN_LANES + 1 + 2 * (cpus))
#define KHIEN_NUMBERING(cpu, nested) KHIEN_NUMBERINGS(cpu) + (nested)

/*
 * One entry per numbering and class of the mapped array `counters`, at
 * numbering * KHIEN_CLASSES + class - 1; written by one at a time.
 */
struct khien_counter {
	__u64 sequence; /* the last one that is in the ring, or lost */
	__u64 lost;	/* found no room in the ring */
	__u64 woken_ns; /* when a full ring last woke the sensor */
	__u64 senders;	/* who interrupted each other, and are not done */
	__u64 pad[4];	/* a cache line for each */
};
_Static_assert(sizeof(struct khien_counter) == 64, "khien_counter");

/*
 * How a system call is read: for each number what it does and which argument
 * is what, counted from 1; 0: has none.  A table has two halves of KHIEN_CALLS
 * entries: this architecture's numbers, and those of its 32-bit programs.
 */
#define KHIEN_CALLS 512
#define KHIEN_CALLS_NATIVE (1u << 0) /* in one byte a number: which half */
#define KHIEN_CALLS_COMPAT (1u << 1) /* has an entry */
#define KHIEN_CALL_REMOVE 0x200	     /* AT_REMOVEDIR in `flags`: is a rmdir */
#define KHIEN_CALL_EXCHANGE 2	     /* RENAME_EXCHANGE */

struct khien_call {
	__u8 type; /* KHIEN_CREATE, ...; 0: not watched */
	__u8 how;  /* bits KHIEN_HOW_... */
	__u8 fd;   /* descriptor of the object itself */
	__u8 dir;  /* descriptor path is relative to; 0: working directory */
	__u8 path;
	__u8 dir2;
	__u8 path2;
	__u8 name;
	__u8 mode;  /* new mode */
	__u8 owner; /* new owner, and after it the group */
	__u8 flags; /* of openat, open, unlinkat, renameat2 */
	__u8 pad;
};
_Static_assert(sizeof(struct khien_call) == 12, "khien_call");

#define KHIEN_HOW_RESULT 1 /* the object is the descriptor returned */
#define KHIEN_HOW_TEXT 2   /* path2 is a text, not a path */
#define KHIEN_HOW_MASKED 4 /* the umask is taken off mode */
#define KHIEN_HOW_MOVED 8  /* name is the file-system type of dir2 */
#define KHIEN_HOW_SHORT 16 /* owner and group have 16 bits */
#define KHIEN_HOW_CUT 32   /* an open that makes the file shorter */

/*
 * Names that sensitive files have, so that the opens of all others are not
 * looked at any further: the one entry of the mapped array `names`, written by
 * the sensor.  A name that has a bit may be one of them, another is none.
 * `at` is indexed by khien_name_place().
 */
#define KHIEN_NAMES 4096 /* a power of two */
#define KHIEN_NAME_BITS 12
#define KHIEN_NAME_ALONE 1 /* such a file, wherever it is */
#define KHIEN_NAME_BELOW 2 /* such a file, in a folder that is `above` */
#define KHIEN_HEAD_ALONE 4 /* a file whose name begins so, wherever it is */
#define KHIEN_HEAD_BELOW 8 /* the same in a folder that is `above` */
#define KHIEN_FOLDER_ABOVE 16
#define KHIEN_FOLDER_ALONE 32	    /* every file in such a folder */
#define KHIEN_NAME_HEAD 0xffffffffu /* for `len`: the first three bytes */

struct khien_names {
	__u32 len; /* patterns; 0: nothing is sensitive */
	__u32 pad;
	__u8 at[KHIEN_NAMES];
};
_Static_assert(sizeof(struct khien_names) == 8 + KHIEN_NAMES, "khien_names");

/*
 * The place of a name of `len` bytes that begins with `begin`: eight bytes in
 * the order they have in memory, of which those after its end do not count.
 */
static inline __u32
khien_name_place(__u64 begin, __u32 len)
{
	if (len == KHIEN_NAME_HEAD)
		begin &= 0xffffff;
	else if (len < 8)
		begin &= (1ull << len * 8) - 1;
	begin = (begin ^ len) * 0x9e3779b97f4a7c15ull;
	return (__u32)(begin >> (64 - KHIEN_NAME_BITS));
}

/* Super block magics whose files are not told. */
#define KHIEN_QUIET 32

/*
 * Which file systems the gate looks at, and what is done where it does not: the
 * one entry of the mapped array `reach`, written by the sensor but for its
 * counts.
 *
 * An entry of covers[] is device << 32 | kind, and 0 when it is free; it stands
 * at most KHIEN_COVER_PROBES behind its place by khien_cover_place().  The half
 * that counts is the version's lowest bit: a new list goes into the other one.
 */
#define KHIEN_COVERS 2048 /* of each half; a power of two */
#define KHIEN_COVER_BITS 11
#define KHIEN_COVER_PROBES 32
#define KHIEN_COVER_GATED 1
#define KHIEN_COVER_FOREIGN 2 /* known, and cannot be asked about */
#define KHIEN_COVER_PASSED 3  /* is not to be asked about */
#define KHIEN_COVER_UNSURE 4  /* never in a list: the list cannot tell */

#define KHIEN_REACH_OFF 0
#define KHIEN_REACH_KILL 1
#define KHIEN_REACH_HOLD 2

#define KHIEN_REACH_SCOPED (1u << 0)  /* only below cgroup `scope` */
#define KHIEN_REACH_DENY (1u << 1)    /* who cannot be held is killed */
#define KHIEN_REACH_PARTIAL (1u << 2) /* some file systems found no place */

/* Nobody is held for a sensor that has not been seen for so long. */
#define KHIEN_REACH_ALIVE_NS 3000000000ull

struct khien_reach {
	__u32 mode;
	__u32 flags;
	__u64 scope;	/* cgroup id; 0: not found, so nobody is in it */
	__u64 alive_ns; /* boot time: when the sensor was last at work */
	__u32 khiend;	/* whose children are the agent */
	__u32 version;	/* 0: no list yet */
	/* By the programs. */
	__u64 killed;
	__u64 held;
	__u64 unheld;	/* was to be held, and had to be let go */
	__u64 failed;	/* the signal was refused */
	__u64 followed; /* runs while it is scanned */
	__u64 marks;	/* new ones that were seen */
	/* By the sensor: whose marks the list is of; 0: there is no gate. */
	__u32 gate;
	__u32 pad32;
	__u64 pad[5];
	__u64 covers[2 * KHIEN_COVERS];
};
_Static_assert(sizeof(struct khien_reach) == 128 + 16ull * KHIEN_COVERS,
	       "khien_reach");

/* The place among KHIEN_COVERS; for programs and user space alike. */
static inline __u32
khien_cover_place(__u32 device)
{
	return (__u32)(device * 2654435761u) >> (32 - KHIEN_COVER_BITS);
}

/* A process that is held: in the ring `stops`, which nothing else is in. */
struct khien_stop {
	__u64 boot_ns;
	__u64 start_ns;
	__u64 inode;
	__u32 device;
	__u32 flags;
	__u32 pid;
	__u32 pad;
};
_Static_assert(sizeof(struct khien_stop) == 40, "khien_stop");

/*
 * Files that were found bad, and may not be mapped as code: the one entry of
 * the mapped array `bad`, written by the gate but for its count.
 *
 * A file is in the bucket of its inode number.  Its entry is written from the
 * second member on, and `inode` last; 0: free.
 */
#define KHIEN_BAD_FILES 4096
#define KHIEN_BAD_WAYS 16 /* of a bucket */
#define KHIEN_BAD_BITS 8  /* buckets */

struct khien_bad_file {
	__u64 inode;
	__u64 size;
	__s64 mtime_ns; /* since the epoch */
	__u32 device;	/* 0: the file system tells users other numbers */
	__u32 pad;
};
_Static_assert(sizeof(struct khien_bad_file) == 32, "khien_bad_file");

struct khien_bad {
	__u32 on;  /* 0: nothing is denied */
	__u32 len; /* files; 0: nothing is looked up */
	__u64 denied;
	__u64 pad[6];
	struct khien_bad_file files[KHIEN_BAD_FILES];
};
_Static_assert(sizeof(struct khien_bad) == 64 + 32ull * KHIEN_BAD_FILES,
	       "khien_bad");
_Static_assert(KHIEN_BAD_WAYS << KHIEN_BAD_BITS == KHIEN_BAD_FILES,
	       "khien_bad");

/* The first place of the bucket of an inode number. */
static inline __u32
khien_bad_place(__u64 inode)
{
	return (__u32)(inode * 0x9e3779b97f4a7c15ull >> (64 - KHIEN_BAD_BITS)) *
	       KHIEN_BAD_WAYS;
}

/*
 * The agent's guard of itself: the one entry of the mapped array `guard`.  It
 * is armed while khiend beats: one that is stopped or stuck can be killed.
 * khiend's death must still end its children: what PR_SET_PDEATHSIG sends comes
 * from a process that the map `own` has lost already.
 */
#define KHIEN_GUARD_ALIVE_NS 3000000000ull
#define KHIEN_GUARD_ENDLESS (~0ull) /* off_until_ns: until it is turned on */

struct khien_guard {
	/* By khiend; boot time, as bpf_ktime_get_boot_ns has it. */
	__u64 beat_ns; /* each second; 0: [guard] mode is off, or it ends */
	__u64 off_until_ns; /* turned off by a command until then */
	__u32 khiend;	    /* its process, in the initial pid namespace */
	/* By the sensor. */
	__u32 programs; /* of the guard that are attached; 0: there is none */
	/* By the programs. */
	__u64 denied; /* attempts, also those that are not told */
	__u64 pad[4];
};
_Static_assert(sizeof(struct khien_guard) == 64, "khien_guard");

/*
 * What was tried, and what `value2` of the record is.
 *
 *   signal      the signal
 *   trace       PTRACE_MODE_...: also of its memory and its descriptors
 *   limit       RLIMIT_...
 *   schedule    policy, processors, priorities, where its memory is: 0
 *   proc        to write into its /proc/PID, or what ends all processes, or
 *               turns off all programs of hooks: flags of open(2)
 *   cgroup      to write into its cgroup: flags of open(2)
 *   bpf         KHIEN_GUARD_BPF_... << 32 | id
 *   write       flags of open(2)
 *   make, remove, rename, link   0
 *   change      mode, owner, size, attributes: 0, or the ioctl(2)
 *   mount       over it, or away: flags of mount(2), or 0
 *   umount      flags of umount2(2)
 */
#define KHIEN_GUARD_SIGNAL 1
#define KHIEN_GUARD_TRACE 2
#define KHIEN_GUARD_LIMIT 3
#define KHIEN_GUARD_SCHEDULE 4
#define KHIEN_GUARD_PROC 5
#define KHIEN_GUARD_CGROUP 6
#define KHIEN_GUARD_BPF 7
#define KHIEN_GUARD_WRITE 8
#define KHIEN_GUARD_MAKE 9
#define KHIEN_GUARD_REMOVE 10
#define KHIEN_GUARD_RENAME 11
#define KHIEN_GUARD_LINK 12
#define KHIEN_GUARD_CHANGE 13
#define KHIEN_GUARD_MOUNT 14
#define KHIEN_GUARD_UMOUNT 15

/* Kinds of kernel objects: of `ours`, whose key is kind << 32 | id. */
#define KHIEN_GUARD_BPF_MAP 1
#define KHIEN_GUARD_BPF_PROGRAM 2
#define KHIEN_GUARD_BPF_LINK 3

/*
 * Files that are guarded.  A file or folder is found by the folder it is in and
 * its name there: so it is guarded before it is made, and after it is replaced.
 * An entry without a name is a folder on the way there, of the kind that its
 * value says; one without an inode says that a file system has any of them.
 */
#define KHIEN_GUARD_NAME_SIZE 16 /* of longer ones the beginning */
#define KHIEN_GUARD_PLACES 128
#define KHIEN_GUARD_PATH_SIZE 256
#define KHIEN_GUARD_PREFIX "khien" /* in a folder of KHIEN_GUARD_NAMES */

#define KHIEN_GUARD_ABOVE 1  /* holds something that is guarded */
#define KHIEN_GUARD_NAMES 2  /* all that begin so in it are guarded, too */
#define KHIEN_GUARD_INSIDE 3 /* everything in it is */

struct khien_guard_key {
	__u64 inode;
	__u32 device; /* as the kernel has it */
	__u32 len;    /* of the name; 0: the folder itself */
	char name[KHIEN_GUARD_NAME_SIZE];
};
_Static_assert(sizeof(struct khien_guard_key) == 32, "khien_guard_key");

/* Value in the map: kind << 16 | which place its path has. */
struct khien_guard_place {
	char path[KHIEN_GUARD_PATH_SIZE]; /* without the first '/' */
};
_Static_assert(sizeof(struct khien_guard_place) == KHIEN_GUARD_PATH_SIZE,
	       "khien_guard_place");

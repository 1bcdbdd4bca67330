/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which kernel programs there are, and what is not seen without them.  Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * Object files: each makes libbpf read the kernel's types, which takes longer
 * than anything else at the start.  So all of kernel/ that every kernel may
 * load are linked into one.
 */
enum programs_object {
	PROGRAMS_TRACING,
	PROGRAMS_SECURITY, /* tier L */
	PROGRAMS_OBJECTS,
};

/* What `[sensor]` switches. */
enum programs_sensor {
	PROGRAMS_ALWAYS, /* does nothing until it is armed */
	PROGRAMS_OF_PROCESS,
	PROGRAMS_OF_FILE,
	PROGRAMS_OF_NETWORK,
	PROGRAMS_OF_PRIVILEGE,
	PROGRAMS_OF_GUARD, /* [guard] mode */
};

/* In the order of their table; a program's name in lower case is its name. */
enum programs_program {
	PROGRAM_PROCESS_FORK,
	PROGRAM_PROCESS_EXEC,
	PROGRAM_PROCESS_EXIT,
	PROGRAM_PROCESS_SEED,
	PROGRAM_FILE_CALL,
	PROGRAM_REACH_EXEC,
	PROGRAM_REACH_MARK,
	PROGRAM_URING_SUBMIT_REQ,
	PROGRAM_URING_SUBMIT_SQE,
	PROGRAM_URING_SUBMIT_OLD,
	PROGRAM_URING_COMPLETE_CQE,
	PROGRAM_URING_COMPLETE_REQ,
	PROGRAM_URING_COMPLETE_OLD,
	PROGRAM_URING_OVERFLOW,
	PROGRAM_NET_STATE,
	PROGRAM_NET_ACCEPT,
	PROGRAM_NET_CONNECT4,
	PROGRAM_NET_CONNECT6,
	PROGRAM_NET_SEND4,
	PROGRAM_NET_SEND6,
	PROGRAM_NET_EGRESS,
	/* In the order in which they are attached: kernel/known.h. */
	PROGRAM_PRIVILEGE_FORK,
	PROGRAM_PRIVILEGE_EXIT,
	PROGRAM_PRIVILEGE_RENAME,
	PROGRAM_PRIVILEGE_EXEC,
	PROGRAM_PRIVILEGE_MODULE,
	PROGRAM_PRIVILEGE_UNLOAD,
	PROGRAM_PRIVILEGE_MAPPING,
	PROGRAM_PRIVILEGE_CALL,
	PROGRAM_PRIVILEGE_SEED,
	PROGRAM_GUARD_KILL,
	PROGRAM_GUARD_SIGIO,
	PROGRAM_GUARD_TRACE,
	PROGRAM_GUARD_LIMIT,
	PROGRAM_GUARD_SCHEDULE,
	PROGRAM_GUARD_NICE,
	PROGRAM_GUARD_IOPRIO,
	PROGRAM_GUARD_MEMORY,
	PROGRAM_GUARD_OPEN,
	PROGRAM_GUARD_BPF,
	PROGRAM_GUARD_MAP,
	PROGRAM_GUARD_PROGRAM,
	PROGRAM_SHIELD_OPEN,
	PROGRAM_SHIELD_CREATE,
	PROGRAM_SHIELD_MKDIR,
	PROGRAM_SHIELD_MKNOD,
	PROGRAM_SHIELD_SYMLINK,
	PROGRAM_SHIELD_LINK,
	PROGRAM_SHIELD_UNLINK,
	PROGRAM_SHIELD_RMDIR,
	PROGRAM_SHIELD_RENAME,
	PROGRAM_SHIELD_SETATTR,
	PROGRAM_SHIELD_SETXATTR,
	PROGRAM_SHIELD_REMOVEXATTR,
	PROGRAM_SHIELD_ACL,
	PROGRAM_SHIELD_NO_ACL,
	PROGRAM_SHIELD_FLAGS,
	PROGRAM_SHIELD_IOCTL,
	PROGRAM_SHIELD_IOCTL32,
	PROGRAM_SHIELD_MOUNT,
	PROGRAM_SHIELD_MOVE,
	PROGRAM_SHIELD_UMOUNT,
	PROGRAM_SHIELD_REMOUNT,
	PROGRAM_SHIELD_PIVOT,
	PROGRAM_HOOKS_UNLINK,
	PROGRAM_HOOKS_RMDIR,
	PROGRAM_HOOKS_MKDIR,
	PROGRAM_HOOKS_MKNOD,
	PROGRAM_HOOKS_SYMLINK,
	PROGRAM_HOOKS_LINK,
	PROGRAM_HOOKS_RENAME,
	PROGRAM_HOOKS_CHMOD,
	PROGRAM_HOOKS_CHOWN,
	PROGRAM_HOOKS_MOUNT,
	PROGRAM_HOOKS_MOVE,
	PROGRAM_HOOKS_UMOUNT,
	PROGRAM_HOOKS_MODULE,
	PROGRAM_HOOKS_BPF,
	PROGRAM_MAPPING_MMAP,
	PROGRAM_MAPPING_PROTECT,
	PROGRAMS,
};

/*
 * Programs that do the same for kernels of different forms: the one that fits
 * is loaded, and the others are not missed.  When none fits, the first one is
 * absent.
 */
enum programs_choice {
	PROGRAMS_NO_CHOICE,
	PROGRAMS_URING_SUBMIT,
	PROGRAMS_URING_COMPLETE,
	PROGRAMS_URING_OVERFLOW,
	PROGRAMS_CHOICES,
};

/* In the place of an error, and above all of them: see programs_why(). */
#define PROGRAMS_UNNEEDED 4096	 /* not absent: this kernel does not need it */
#define PROGRAMS_UNCALLED 4097	 /* the kernel takes it and never calls it */
#define PROGRAMS_NO_TYPES 4098	 /* the kernel has no BTF */
#define PROGRAMS_NO_CGROUP2 4099 /* there is nothing to attach it to */
#define PROGRAMS_LOCKED 4100	 /* kernel lockdown: confidentiality */
#define PROGRAMS_NO_BPF 8192	 /* and the errno of bpf(2), for any program */

#define PROGRAMS_TYPES 24

struct programs_entry {
	const char *name;
	uint8_t object;	  /* enum programs_object */
	uint8_t sensor;	  /* enum programs_sensor */
	const char *cost; /* what is not seen when it is absent */
	/* Types of events that no other program tells; 0 ends them. */
	uint16_t types[PROGRAMS_TYPES];
	/* Tier L: the hook of the security modules that it is called from;
	   NULL: tier T. */
	const char *hook;
};

/* What a kernel must be like for a program. */
struct programs_form {
	uint8_t choice; /* enum programs_choice */
	/* Of a choice, the form of tracepoint: see prototype_is(). */
	const char *tracepoint;
	const char *params;
	const char *about; /* a struct that kernels without the thing lack */
	/* What the kernel must have: a type, or a helper; NULL: nothing. */
	const char *needs;
};

/* Why a program is absent, by its error; errors of the system in its words.
   The text holds until the next call. */
const char *programs_why(int32_t error);

/* NULL for no such program. */
const struct programs_entry *programs_get(size_t program);

/* NULL for a program that every kernel may have. */
const struct programs_form *programs_form(size_t program);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sensor/programs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/lib/event.h"

/* One that refuses; what is not seen without it is neither refused. */
#define GUARD(program, its_name, its_hook, without)                            \
	[PROGRAM_##program] = { .name = (its_name),                            \
				.object = PROGRAMS_SECURITY,                   \
				.sensor = PROGRAMS_OF_GUARD,                   \
				.cost = without ", and not refused",           \
				.hook = (its_hook) }
/* One that sees more. */
#define HOOK(program, of, at, without)                                         \
	{                                                                      \
		.name = (program), .object = PROGRAMS_SECURITY,                \
		.sensor = (of), .cost = (without), .hook = (at)                \
	}

#define PATH_HOOK(program, at, what)                                           \
	HOOK(program, PROGRAMS_OF_FILE, at,                                    \
	     "real paths of " what ": told as the caller gave them")

static const struct programs_entry entries[PROGRAMS] = {
	[PROGRAM_PROCESS_FORK] = {
		"process_fork", PROGRAMS_TRACING, PROGRAMS_OF_PROCESS,
		"processes that start and execute nothing",
		{ EVENT_FORK },
		NULL,
	},
	[PROGRAM_PROCESS_EXEC] = {
		"process_exec", PROGRAMS_TRACING, PROGRAMS_OF_PROCESS,
		"programs that start, with their arguments",
		{ EVENT_EXEC },
		NULL,
	},
	[PROGRAM_PROCESS_EXIT] = {
		"process_exit", PROGRAMS_TRACING, PROGRAMS_OF_PROCESS,
		"ends of processes, exit codes and run times",
		{ EVENT_EXIT },
		NULL,
	},
	[PROGRAM_PROCESS_SEED] = {
		"process_seed", PROGRAMS_TRACING, PROGRAMS_OF_PROCESS,
		"processes that were there before the agent",
		{ EVENT_SEED },
		NULL,
	},
	[PROGRAM_FILE_CALL] = {
		"file_call", PROGRAMS_TRACING, PROGRAMS_OF_FILE,
		"files created, written, renamed, removed, linked, changed in "
		"mode, owner or attributes; sensitive files read; mounts",
		{ EVENT_CREATE, EVENT_OPEN, EVENT_RENAME, EVENT_UNLINK,
		  EVENT_LINK, EVENT_SYMLINK, EVENT_CHMOD, EVENT_CHOWN,
		  EVENT_XATTR, EVENT_MKDIR, EVENT_RMDIR, EVENT_READ,
		  EVENT_MOUNT, EVENT_UMOUNT },
		NULL,
	},
	[PROGRAM_REACH_EXEC] = {
		"reach_exec", PROGRAMS_TRACING, PROGRAMS_ALWAYS,
		"programs that start from where the gate cannot look: they are "
		"not stopped",
		{ EVENT_STOP },
		NULL,
	},
	[PROGRAM_REACH_MARK] = {
		"reach_mark", PROGRAMS_TRACING, PROGRAMS_ALWAYS,
		"since when the gate is asked on file systems of user "
		"namespaces: programs from there are stopped as if it were not",
		{ 0 },
		NULL,
	},
	[PROGRAM_URING_SUBMIT_REQ] = {
		"uring_submit_req", PROGRAMS_TRACING, PROGRAMS_OF_FILE,
		"what io_uring does to files",
		{ 0 },
		NULL,
	},
	[PROGRAM_URING_SUBMIT_SQE] = {
		"uring_submit_sqe", PROGRAMS_TRACING, PROGRAMS_OF_FILE,
		"what io_uring does to files",
		{ 0 },
		NULL,
	},
	[PROGRAM_URING_SUBMIT_OLD] = {
		"uring_submit_old", PROGRAMS_TRACING, PROGRAMS_OF_FILE,
		"what io_uring does to files",
		{ 0 },
		NULL,
	},
	[PROGRAM_URING_COMPLETE_CQE] = {
		"uring_complete_cqe", PROGRAMS_TRACING, PROGRAMS_OF_FILE,
		"what io_uring does to files",
		{ 0 },
		NULL,
	},
	[PROGRAM_URING_COMPLETE_REQ] = {
		"uring_complete_req", PROGRAMS_TRACING, PROGRAMS_OF_FILE,
		"what io_uring does to files",
		{ 0 },
		NULL,
	},
	[PROGRAM_URING_COMPLETE_OLD] = {
		"uring_complete_old", PROGRAMS_TRACING, PROGRAMS_OF_FILE,
		"what io_uring does to files",
		{ 0 },
		NULL,
	},
	[PROGRAM_URING_OVERFLOW] = {
		"uring_overflow", PROGRAMS_TRACING, PROGRAMS_OF_FILE,
		"what io_uring does to files in a ring that is full, until the "
		"ring goes on",
		{ 0 },
		NULL,
	},
	[PROGRAM_NET_STATE] = {
		"net_state", PROGRAMS_TRACING, PROGRAMS_OF_NETWORK,
		"TCP connections to peers, and the ends of all connections",
		{ EVENT_CONNECT, EVENT_DISCONNECT },
		NULL,
	},
	[PROGRAM_NET_ACCEPT] = {
		"net_accept", PROGRAMS_TRACING, PROGRAMS_OF_NETWORK,
		"TCP connections from peers, and whose they are",
		{ EVENT_ACCEPT },
		NULL,
	},
	[PROGRAM_NET_CONNECT4] = {
		"net_connect4", PROGRAMS_TRACING, PROGRAMS_OF_NETWORK,
		"whose datagrams and questions of connected IPv4 sockets are",
		{ 0 },
		NULL,
	},
	[PROGRAM_NET_CONNECT6] = {
		"net_connect6", PROGRAMS_TRACING, PROGRAMS_OF_NETWORK,
		"whose datagrams and questions of connected IPv6 sockets are",
		{ 0 },
		NULL,
	},
	[PROGRAM_NET_SEND4] = {
		"net_send4", PROGRAMS_TRACING, PROGRAMS_OF_NETWORK,
		"whose datagrams and questions of other IPv4 sockets are",
		{ 0 },
		NULL,
	},
	[PROGRAM_NET_SEND6] = {
		"net_send6", PROGRAMS_TRACING, PROGRAMS_OF_NETWORK,
		"whose datagrams and questions of other IPv6 sockets are",
		{ 0 },
		NULL,
	},
	[PROGRAM_NET_EGRESS] = {
		"net_egress", PROGRAMS_TRACING, PROGRAMS_OF_NETWORK,
		"UDP datagrams to new peers, and names asked of DNS",
		{ EVENT_DATAGRAM, EVENT_DNS },
		NULL,
	},
	[PROGRAM_PRIVILEGE_FORK] = {
		"privilege_fork", PROGRAMS_TRACING, PROGRAMS_OF_PRIVILEGE,
		"privileges that a process was given inside the kernel; "
		"processes that start in namespaces of their own",
		{ EVENT_ESCALATE },
		NULL,
	},
	[PROGRAM_PRIVILEGE_EXIT] = {
		"privilege_exit", PROGRAMS_TRACING, PROGRAMS_OF_PRIVILEGE,
		"privileges that a process was given inside the kernel, when "
		"it executes nothing with them",
		{ 0 },
		NULL,
	},
	[PROGRAM_PRIVILEGE_RENAME] = {
		"privilege_rename", PROGRAMS_TRACING, PROGRAMS_OF_PRIVILEGE,
		"privileges that a process was given inside the kernel, when "
		"it executes a program with them",
		{ 0 },
		NULL,
	},
	[PROGRAM_PRIVILEGE_EXEC] = {
		"privilege_exec", PROGRAMS_TRACING, PROGRAMS_OF_PRIVILEGE,
		"privileges that a process has from the file it executes",
		{ 0 },
		NULL,
	},
	[PROGRAM_PRIVILEGE_MODULE] = {
		"privilege_module", PROGRAMS_TRACING, PROGRAMS_OF_PRIVILEGE,
		"names of kernel modules that are loaded",
		{ 0 },
		NULL,
	},
	[PROGRAM_PRIVILEGE_UNLOAD] = {
		"privilege_unload", PROGRAMS_TRACING, PROGRAMS_OF_PRIVILEGE,
		"names of kernel modules that are taken away",
		{ 0 },
		NULL,
	},
	[PROGRAM_PRIVILEGE_MAPPING] = {
		"privilege_mapping", PROGRAMS_TRACING, PROGRAMS_OF_PRIVILEGE,
		"memory that was written to before it becomes executable, but "
		"for what is asked for in one call (from Linux 6.1 on: older "
		"ones see it without this program)",
		{ 0 },
		NULL,
	},
	[PROGRAM_PRIVILEGE_CALL] = {
		"privilege_call", PROGRAMS_TRACING, PROGRAMS_OF_PRIVILEGE,
		"changes of identity and capabilities by system calls, ptrace "
		"and writing into other processes, memory that becomes "
		"executable, modules, BPF programs, namespaces, roots; and "
		"nothing that was done inside the kernel",
		{ EVENT_CREDENTIALS, EVENT_PTRACE, EVENT_VM_WRITE,
		  EVENT_MEM_OPEN, EVENT_MEMFD_CREATE, EVENT_MAP_EXEC,
		  EVENT_MODULE_LOAD, EVENT_MODULE_UNLOAD, EVENT_BPF_LOAD,
		  EVENT_UNSHARE, EVENT_SETNS, EVENT_CHROOT,
		  EVENT_PIVOT_ROOT, EVENT_MAP_FILE },
		NULL,
	},
	[PROGRAM_PRIVILEGE_SEED] = {
		"privilege_seed", PROGRAMS_TRACING, PROGRAMS_OF_PRIVILEGE,
		"the first change of privileges of a process that was there "
		"before the agent",
		{ 0 },
		NULL,
	},
	GUARD(GUARD_KILL, "guard_kill", "task_kill",
	      "signals that end or stop the agent's processes"),
	GUARD(GUARD_SIGIO, "guard_sigio", "file_send_sigiotask",
	      "signals to the agent's processes by way of a file"),
	GUARD(GUARD_TRACE, "guard_trace", "ptrace_access_check",
	      "tracing the agent's processes, and access to their memory"),
	GUARD(GUARD_LIMIT, "guard_limit", "task_setrlimit",
	      "resource limits put on the agent's processes"),
	GUARD(GUARD_SCHEDULE, "guard_schedule", "task_setscheduler",
	      "scheduling of the agent's processes changed"),
	GUARD(GUARD_NICE, "guard_nice", "task_setnice",
	      "priority of the agent's processes changed"),
	GUARD(GUARD_IOPRIO, "guard_ioprio", "task_setioprio",
	      "priority of the agent's input and output changed"),
	GUARD(GUARD_MEMORY, "guard_memory", "task_movememory",
	      "memory of the agent's processes moved"),
	GUARD(GUARD_OPEN, "guard_open", "file_open",
	      "writing into /proc/PID of the agent's processes, and into its "
	      "cgroup: killing, freezing and limiting it"),
	GUARD(GUARD_BPF, "guard_bpf", "bpf",
	      "links of the agent's kernel programs taken away"),
	GUARD(GUARD_MAP, "guard_map", "bpf_map",
	      "maps of the agent's kernel programs written to"),
	GUARD(GUARD_PROGRAM, "guard_program", "bpf_prog",
	      "the agent's kernel programs got hold of"),
	GUARD(SHIELD_OPEN, "shield_open", "file_open",
	      "writing into the agent's files"),
	GUARD(SHIELD_CREATE, "shield_create", "inode_create",
	      "files made in the agent's folders"),
	GUARD(SHIELD_MKDIR, "shield_mkdir", "inode_mkdir",
	      "folders made in the agent's folders"),
	GUARD(SHIELD_MKNOD, "shield_mknod", "inode_mknod",
	      "devices and pipes made in the agent's folders"),
	GUARD(SHIELD_SYMLINK, "shield_symlink", "inode_symlink",
	      "symbolic links made in the agent's folders"),
	GUARD(SHIELD_LINK, "shield_link", "inode_link",
	      "hard links to the agent's files"),
	GUARD(SHIELD_UNLINK, "shield_unlink", "inode_unlink",
	      "the agent's files removed"),
	GUARD(SHIELD_RMDIR, "shield_rmdir", "inode_rmdir",
	      "the agent's folders removed"),
	GUARD(SHIELD_RENAME, "shield_rename", "inode_rename",
	      "the agent's files, or folders above them, renamed"),
	GUARD(SHIELD_SETATTR, "shield_setattr", "inode_setattr",
	      "mode, owner, times and size of the agent's files changed"),
	GUARD(SHIELD_SETXATTR, "shield_setxattr", "inode_setxattr",
	      "attributes of the agent's files changed"),
	GUARD(SHIELD_REMOVEXATTR, "shield_removexattr", "inode_removexattr",
	      "attributes of the agent's files removed"),
	GUARD(SHIELD_ACL, "shield_acl", "inode_set_acl",
	      "access lists of the agent's files changed"),
	GUARD(SHIELD_NO_ACL, "shield_no_acl", "inode_remove_acl",
	      "access lists of the agent's files removed"),
	GUARD(SHIELD_FLAGS, "shield_flags", "inode_file_setattr",
	      "flags of the agent's files, as chattr sets them"),
	GUARD(SHIELD_IOCTL, "shield_ioctl", "file_ioctl",
	      "flags of the agent's files, as chattr sets them"),
	GUARD(SHIELD_IOCTL32, "shield_ioctl32", "file_ioctl_compat",
	      "flags of the agent's files, set by 32-bit programs"),
	GUARD(SHIELD_MOUNT, "shield_mount", "sb_mount",
	      "mounting over the agent's files"),
	GUARD(SHIELD_MOVE, "shield_move", "move_mount",
	      "mounts moved over the agent's files, or away from them"),
	GUARD(SHIELD_UMOUNT, "shield_umount", "sb_umount",
	      "file systems of the agent's files unmounted"),
	GUARD(SHIELD_REMOUNT, "shield_remount", "sb_remount",
	      "file systems of the agent's files remounted"),
	GUARD(SHIELD_PIVOT, "shield_pivot", "sb_pivotroot",
	      "another root in the place of the one with the agent's files"),
	[PROGRAM_HOOKS_UNLINK] =
		PATH_HOOK("hooks_unlink", "path_unlink", "removed files"),
	[PROGRAM_HOOKS_RMDIR] =
		PATH_HOOK("hooks_rmdir", "path_rmdir", "removed folders"),
	[PROGRAM_HOOKS_MKDIR] =
		PATH_HOOK("hooks_mkdir", "path_mkdir", "new folders"),
	[PROGRAM_HOOKS_MKNOD] = PATH_HOOK("hooks_mknod", "path_mknod",
					  "new pipes and devices"),
	[PROGRAM_HOOKS_SYMLINK] = PATH_HOOK("hooks_symlink", "path_symlink",
					    "new symbolic links"),
	[PROGRAM_HOOKS_LINK] =
		PATH_HOOK("hooks_link", "path_link", "files linked"),
	[PROGRAM_HOOKS_RENAME] =
		PATH_HOOK("hooks_rename", "path_rename", "files renamed"),
	[PROGRAM_HOOKS_CHMOD] =
		PATH_HOOK("hooks_chmod", "path_chmod", "changes of mode"),
	[PROGRAM_HOOKS_CHOWN] =
		PATH_HOOK("hooks_chown", "path_chown", "changes of owner"),
	[PROGRAM_HOOKS_MOUNT] =
		PATH_HOOK("hooks_mount", "sb_mount", "mount points"),
	[PROGRAM_HOOKS_MOVE] =
		PATH_HOOK("hooks_move", "move_mount", "mounts moved"),
	[PROGRAM_HOOKS_UMOUNT] =
		PATH_HOOK("hooks_umount", "sb_umount", "mounts taken away"),
	[PROGRAM_HOOKS_MODULE] =
		HOOK("hooks_module", PROGRAMS_OF_PRIVILEGE, "kernel_read_file",
		     "the file of a kernel module whose descriptor is another "
		     "file's before the call ends"),
	[PROGRAM_HOOKS_BPF] =
		HOOK("hooks_bpf", PROGRAMS_OF_PRIVILEGE, "bpf_prog",
		     "BPF programs whose descriptor is closed before the call "
		     "ends"),
	[PROGRAM_MAPPING_MMAP] = {
		"mapping_mmap", PROGRAMS_SECURITY, PROGRAMS_ALWAYS,
		"bad files that are mapped as code through a descriptor older "
		"than the verdict: they are not refused",
		{ EVENT_MAP_DENIED },
		"mmap_file",
	},
	[PROGRAM_MAPPING_PROTECT] =
		HOOK("mapping_protect", PROGRAMS_ALWAYS, "file_mprotect",
		     "bad files that were mapped to be read and become code: "
		     "they are not refused"),
};

const char *
programs_why(int32_t error)
{
	static char text[96];

	switch (error) {
	case ECANCELED:
		return "switched off";
	case PROGRAMS_UNCALLED:
		return "bpf is not among the security modules (lsm=)";
	case PROGRAMS_NO_TYPES:
		return "this kernel has no BTF in /sys/kernel/btf";
	case PROGRAMS_NO_CGROUP2:
		return "no cgroup2 is mounted";
	case PROGRAMS_LOCKED:
		return "kernel lockdown for confidentiality refuses it";
	default:
		break;
	}
	if (error < PROGRAMS_NO_BPF)
		return strerror(error);
	(void)snprintf(text, sizeof(text), "bpf(2) is refused: %s",
		       strerror(error - PROGRAMS_NO_BPF));
	return text;
}

const struct programs_entry *
programs_get(size_t program)
{
	return program < PROGRAMS ? &entries[program] : NULL;
}

#define FORM(of, point, takes, without)                                        \
	{                                                                      \
		.choice = PROGRAMS_URING_##of,                                 \
		.tracepoint = "io_uring_" point, .params = (takes),            \
		.about = (without)                                             \
	}

static const struct programs_form forms[PROGRAMS] = {
	[PROGRAM_URING_SUBMIT_REQ] =
		FORM(SUBMIT, "submit_req", "p", "io_kiocb"),
	[PROGRAM_URING_SUBMIT_SQE] =
		FORM(SUBMIT, "submit_sqe", "pi", "io_kiocb"),
	[PROGRAM_URING_SUBMIT_OLD] =
		FORM(SUBMIT, "submit_sqe", "ppiiiii", "io_kiocb"),
	[PROGRAM_URING_COMPLETE_CQE] =
		FORM(COMPLETE, "complete", "ppp", "io_kiocb"),
	[PROGRAM_URING_COMPLETE_REQ] =
		FORM(COMPLETE, "complete", "ppiiiii", "io_kiocb"),
	[PROGRAM_URING_COMPLETE_OLD] =
		FORM(COMPLETE, "complete", "piii", "io_kiocb"),
	[PROGRAM_URING_OVERFLOW] =
		FORM(OVERFLOW, "cqe_overflow", "piiip", "io_cqe"),
	[PROGRAM_PRIVILEGE_MODULE] = { .about = "load_info",
				       .needs = "btf_trace_module_load" },
	[PROGRAM_PRIVILEGE_UNLOAD] = { .about = "load_info",
				       .needs = "btf_trace_module_free" },
	/* Before Linux 6.1 privilege_call reads the mappings by itself. */
	[PROGRAM_PRIVILEGE_MAPPING] = { .about = "maple_tree",
					.needs = "BPF_FUNC_find_vma" },
	/* As old as arguments that are structs, which its hook has. */
	[PROGRAM_HOOKS_CHOWN] = { .needs = "BPF_FUNC_user_ringbuf_drain" },
};

const struct programs_form *
programs_form(size_t program)
{
	if (program >= PROGRAMS ||
	    (!forms[program].choice && !forms[program].needs))
		return NULL;
	return &forms[program];
}

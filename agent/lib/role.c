/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lib/role.h"

#include <linux/capability.h>
#include <string.h>
#include <sys/resource.h>

#define CAP(n) (1ULL << (n))
#define MIB (1ULL << 20)

/*
 * mmap and mprotect are allowed without PROT_EXEC only, tgkill for oneself
 * only: see sandbox.c.  The list serves glibc 2.36 and 2.41: memory, time, the
 * loop, channels, logging.
 */
static const char *const base_calls[] = {
	"read",
	"write",
	"readv",
	"writev",
	"close",
	"fstat",
	"newfstatat",
	"lseek",
	"mmap",
	"munmap",
	"mremap",
	"mprotect",
	"brk",
	"madvise",
	"rt_sigaction",
	"rt_sigprocmask",
	"rt_sigreturn",
	"sigaltstack",
	"exit",
	"exit_group",
	"futex",
	"getpid",
	"gettid",
	"getppid",
	"getuid",
	"geteuid",
	"getgid",
	"getegid",
	"tgkill",
	"clock_gettime",
	"clock_nanosleep",
	"nanosleep",
	"gettimeofday",
	"getrandom",
	"epoll_wait",
	"epoll_pwait",
	"epoll_ctl",
	"poll",
	"ppoll",
	"recvmsg",
	"sendmsg",
	"recvfrom",
	"sendto",
	"timerfd_settime",
	"timerfd_create",
	"restart_syscall",
	"sched_yield",
	"set_robust_list",
	"rseq",
	"fcntl",
	"uname",
	NULL,
};

static const char *const sensor_calls[] = { NULL };

static const char *const gate_calls[] = {
	"fanotify_mark",     "readlink",      "readlinkat",
	"name_to_handle_at", "statx",	      "ioctl",
	"fstatfs",	     "timer_settime", NULL,
};

static const char *const scan_calls[] = { "pread64", "shutdown", NULL };

/* SQLite in its own folder, and the clients' sockets. */
static const char *const engine_calls[] = {
	"open",	     "openat",	    "pread64",	   "pwrite64",	 "fsync",
	"fdatasync", "ftruncate",   "unlink",	   "unlinkat",	 "rename",
	"renameat",  "renameat2",   "access",	   "faccessat",	 "faccessat2",
	"stat",	     "lstat",	    "statx",	   "fchown",	 "fchmod",
	"getcwd",    "readlink",    "readlinkat",  "mkdir",	 "fallocate",
	"utimensat", "accept4",	    "accept",	   "getsockopt", "setsockopt",
	"shutdown",  "getpeername", "getsockname", "statfs",	 "fstatfs",
	"geteuid",   "ioctl",	    "sysinfo",	   "getdents64", "umask",
	"rmdir",     NULL,
};

/* The same to read, and a process for each question. */
static const char *const query_calls[] = {
	"open",	     "openat",	   "pread64",	 "pwrite64",	"access",
	"faccessat", "faccessat2", "stat",	 "lstat",	"statx",
	"getcwd",    "readlink",   "readlinkat", "clone",	"wait4",
	"waitid",    "kill",	   "prctl",	 "prlimit64",	"setrlimit",
	"getrlimit", "shutdown",   "setsockopt", "getsockopt",	"setitimer",
	"alarm",     "fchown",	   "fchmod",	 "ftruncate",	"fallocate",
	"statfs",    "fstatfs",	   "ioctl",	 "getrusage",	"sysinfo",
	"signalfd4", "pidfd_open", "unlink",	 "close_range", NULL,
};

/* Files by descriptor, wherever they are, and processes; no sockets. */
static const char *const keep_calls[] = {
	"openat",
	"openat2",
	"statx",
	"pread64",
	"readlink",
	"readlinkat",
	"getdents64",
	"linkat",
	"unlink",
	"unlinkat",
	"mkdir",
	"mkdirat",
	"fchown",
	"fchmod",
	"utimensat",
	"fsetxattr",
	"fgetxattr",
	"flistxattr",
	"fsync",
	"fallocate",
	"fstatfs",
	"renameat2",
	"ioctl",
	"pidfd_open",
	"pidfd_send_signal",
	NULL,
};

/* Mount points and /proc by path, never with a right to read what is there. */
static const char *const mounts_calls[] = {
	"openat",     "openat2",    "statx", "readlink",
	"readlinkat", "getdents64", NULL,
};

/* Looks at processes, and signals them. */
static const char *const guard_calls[] = {
	"openat",  "readlink",	 "readlinkat",	      "statx",
	"fstatfs", "pidfd_open", "pidfd_send_signal", NULL,
};

/* Sockets of its own making, into files that it is handed.  A thread looks up
   names, as getaddrinfo(3) cannot be told to be quick. */
static const char *const fetch_calls[] = {
	"socket",     "connect",     "bind",	    "socketpair", "shutdown",
	"getsockopt", "getsockname", "getpeername", "setsockopt", "sendmmsg",
	"openat",     "ioctl",	     "thread",	    "pread64",	  "pwrite64",
	"ftruncate",  "eventfd2",    "pipe2",	    NULL,
};

/* What getaddrinfo(3) reads, each time anew. */
static const char *const fetch_reads[] = {
	"/etc/resolv.conf", "/etc/hosts",	  "/etc/host.conf",
	"/etc/gai.conf",    "/etc/nsswitch.conf", NULL,
};

/*
 * Names and files beneath its own folder, each made durable, and files in
 * memory for khien-fetch to write to; no sockets of its own, nothing to be
 * executed, no modes and owners to change.
 */
static const char *const verify_calls[] = {
	"openat",   "openat2",	  "statx",	"pread64", "fsync",
	"renameat", "renameat2",  "unlinkat",	"mkdirat", "symlinkat",
	"linkat",   "readlinkat", "getdents64", "fstatfs", "memfd_create",
	"flock",    NULL,
};

static const struct role roles[ROLE_LEN] = {
	[ROLE_DAEMON] = {
		.id = ROLE_DAEMON,
		.name = "daemon",
		.files = ROLE_FILES_ALL,
	},
	[ROLE_SENSOR] = {
		.id = ROLE_SENSOR,
		.name = "sensor",
		.user = "khien-sensor",
		.fallback_uid = 61181,
		.syscalls = sensor_calls,
		.files = ROLE_FILES_NONE,
		.files_max = 256,
	},
	[ROLE_GATE] = {
		.id = ROLE_GATE,
		.name = "gate",
		.user = "khien-gate",
		.fallback_uid = 61182,
		.caps = CAP(CAP_SYS_ADMIN) | CAP(CAP_DAC_READ_SEARCH) |
			CAP(CAP_LEASE),
		.syscalls = gate_calls,
		.files = ROLE_FILES_KERNEL,
		/* The table, what is held, a batch, and some. */
		.files_max = 20480,
		/*
		 * The kernel wakes all who wait for an answer with each that is
		 * given.  A gate that has to take turns with them spends its
		 * time on that: a thousand at once took ten times as long.
		 */
		.urgent = true,
	},
	[ROLE_SCAN] = {
		.id = ROLE_SCAN,
		.name = "scan",
		.user = "khien-scan",
		.fallback_uid = 61183,
		.syscalls = scan_calls,
		.files = ROLE_FILES_NONE,
		.memory_max = 1024 * MIB,
		.files_max = 64,
	},
	[ROLE_ENGINE] = {
		.id = ROLE_ENGINE,
		.name = "engine",
		.user = "khien-engine",
		.fallback_uid = 61184,
		.syscalls = engine_calls,
		.files = ROLE_FILES_DIR,
		.memory_max = 1024 * MIB,
		.files_max = 1024,
	},
	[ROLE_QUERY] = {
		.id = ROLE_QUERY,
		.name = "query",
		.user = "khien-engine",
		.fallback_uid = 61184,
		.syscalls = query_calls,
		.files = ROLE_FILES_DIR,
		.memory_max = 1024 * MIB,
		.files_max = 128,
	},
	[ROLE_CONF] = {
		.id = ROLE_CONF,
		.name = "conf",
		.files = ROLE_FILES_ALL,
	},
	[ROLE_KEEP] = {
		.id = ROLE_KEEP,
		.name = "keep",
		.caps = CAP(CAP_DAC_OVERRIDE) | CAP(CAP_DAC_READ_SEARCH) |
			CAP(CAP_FOWNER) | CAP(CAP_CHOWN) | CAP(CAP_FSETID) |
			CAP(CAP_SETFCAP) | CAP(CAP_LINUX_IMMUTABLE) |
			CAP(CAP_SYS_ADMIN) | CAP(CAP_MAC_ADMIN) |
			CAP(CAP_SYS_PTRACE) | CAP(CAP_KILL),
		.syscalls = keep_calls,
		.files = ROLE_FILES_ALL,
		.memory_max = 512 * MIB,
		.files_max = 128,
	},
	[ROLE_MOUNTS] = {
		.id = ROLE_MOUNTS,
		.name = "mounts",
		.user = "khien-mounts",
		.fallback_uid = 61185,
		.caps = CAP(CAP_SYS_PTRACE) | CAP(CAP_DAC_READ_SEARCH),
		.syscalls = mounts_calls,
		.files = ROLE_FILES_ALL,
		.memory_max = 512 * MIB,
		.files_max = 256,
		/* What is mounted under load is to be watched soon, too. */
		.early = true,
	},
	/* khien-keep, too: what waits for it must not wait for a disk. */
	[ROLE_GUARD] = {
		.id = ROLE_GUARD,
		.name = "guard",
		.caps = CAP(CAP_DAC_READ_SEARCH) | CAP(CAP_SYS_PTRACE) |
			CAP(CAP_KILL),
		.syscalls = guard_calls,
		.outlives = true,
		.files = ROLE_FILES_ALL,
		.memory_max = 256 * MIB,
		.files_max = 64,
	},
	/* Lives for one update; what it writes is believed by nobody. */
	[ROLE_FETCH] = {
		.id = ROLE_FETCH,
		.name = "fetch",
		.user = "khien-fetch",
		.fallback_uid = 61186,
		.syscalls = fetch_calls,
		.files = ROLE_FILES_READ,
		.reads = fetch_reads,
		.memory_max = 512 * MIB,
		.files_max = 64,
	},
	/* Lives for one update, in the folder of updates. */
	[ROLE_VERIFY] = {
		.id = ROLE_VERIFY,
		.name = "verify",
		.user = "khien-verify",
		.fallback_uid = 61187,
		.syscalls = verify_calls,
		.files = ROLE_FILES_DIR,
		.memory_max = 512 * MIB,
		.files_max = 128,
	},
	/* Writes one file into a folder that it is handed; reads nothing. */
	[ROLE_PROOF] = {
		.id = ROLE_PROOF,
		.name = "proof",
		.files = ROLE_FILES_ALL,
	},
};

const struct role *
role_get(uint16_t id)
{
	return &roles[id];
}

uint64_t
role_files(uint16_t id)
{
	uint64_t max = role_get(id)->files_max;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max < max)
		max = limit.rlim_max;
	return max;
}

const struct role *
role_find(const char *name)
{
	for (size_t i = 0; i < ROLE_LEN; i++)
		if (strcmp(roles[i].name, name) == 0)
			return &roles[i];
	return NULL;
}

const char *const *
role_syscalls_base(void)
{
	return base_calls;
}

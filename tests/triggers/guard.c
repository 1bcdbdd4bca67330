/* SPDX-License-Identifier: GPL-2.0-or-later: a function for each attempt */
/*
 * Against the agent's processes and kernel programs: guard [refused|newer|
 * allowed|stuck|others] FOLDER.  Needs root, and an agent in a machine of its
 * own.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

#include "tests/triggers/attack.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))
#define CGROUPS "/sys/fs/cgroup"
#define CGROUP_ABOVE CGROUPS "/khien-guard"
#define CGROUP CGROUP_ABOVE "/its"
#define CGROUP_OTHER CGROUPS "/khien-other"
#define TRIES_MS 10000 /* for what is let pass 3 s after the last beat */
#define OFF_TRIES 5    /* of a machine that is slow */

static int
do_kill(const struct attack *attack)
{
	return kill(attack->khiend, SIGKILL);
}

static int
do_kill_engine(const struct attack *attack)
{
	return kill(attack->engine, SIGTERM);
}

static int
do_stop(const struct attack *attack)
{
	return kill(attack->khiend, SIGSTOP);
}

/* Nothing comes of it. */
static int
do_continue(const struct attack *attack)
{
	return kill(attack->khiend, SIGCONT);
}

static int
do_tkill(const struct attack *attack)
{
	return (int)syscall(SYS_tkill, attack->khiend, SIGABRT);
}

static int
do_sigqueue(const struct attack *attack)
{
	return sigqueue(attack->khiend, SIGUSR1, (union sigval){ 0 });
}

static int
do_pidfd(const struct attack *attack)
{
	int fd = (int)syscall(SYS_pidfd_open, attack->khiend, 0);

	return (int)syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
}

/* Whoever owns a pipe is told that it is ready: by a signal of our choice.
   Nobody says whether that was refused, but that the owner lives. */
static int
do_sigio(const struct attack *attack)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0 ||
	    fcntl(fds[0], F_SETOWN, attack->engine) < 0 ||
	    fcntl(fds[0], F_SETSIG, SIGKILL) < 0 ||
	    fcntl(fds[0], F_SETFL, O_ASYNC) < 0 || write(fds[1], "", 1) != 1 ||
	    fcntl(fds[0], F_SETFL, 0) < 0)
		return -1;
	errno = EPERM;
	return kill(attack->engine, 0) < 0 ? 0 : -1;
}

static int
do_attach(const struct attack *attack)
{
	int status;

	if (ptrace(PTRACE_ATTACH, attack->engine, NULL, NULL) < 0)
		return -1;
	(void)waitpid(attack->engine, &status, __WALL);
	return (int)ptrace(PTRACE_DETACH, attack->engine, NULL, NULL);
}

static int
do_seize(const struct attack *attack)
{
	return (int)ptrace(PTRACE_SEIZE, attack->khiend, NULL, NULL);
}

/* Not even to a place that there is not. */
static int
do_vm_write(const struct attack *attack)
{
	char byte = 0;
	struct iovec from = { &byte, 1 }, to = { NULL, 1 };

	ssize_t n = process_vm_writev(attack->khiend, &from, 1, &to, 1, 0);
	return n < 0 && errno == EFAULT ? 0 : (int)n;
}

static int
open_proc(int pid, const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return open(path, O_RDWR | O_CLOEXEC);
}

static int
do_mem(const struct attack *attack)
{
	return open_proc(attack->khiend, "mem");
}

static int
do_getfd(const struct attack *attack)
{
	int fd = (int)syscall(SYS_pidfd_open, attack->khiend, 0);

	return (int)syscall(SYS_pidfd_getfd, fd, 0, 0);
}

static int
do_prlimit(const struct attack *attack)
{
	struct rlimit limit;

	if (prlimit(attack->khiend, RLIMIT_CPU, NULL, &limit) < 0)
		return -1;
	return prlimit(attack->khiend, RLIMIT_CPU, &limit, NULL);
}

static int
do_scheduler(const struct attack *attack)
{
	struct sched_param param = { 0 };

	return sched_setscheduler(attack->khiend, SCHED_OTHER, &param);
}

static int
do_affinity(const struct attack *attack)
{
	cpu_set_t cpus;

	if (sched_getaffinity(attack->khiend, sizeof(cpus), &cpus) < 0)
		return -1;
	return sched_setaffinity(attack->khiend, sizeof(cpus), &cpus);
}

static int
do_nice(const struct attack *attack)
{
	return setpriority(PRIO_PROCESS, (id_t)attack->engine, 0);
}

static int
do_ioprio(const struct attack *attack)
{
	return (int)syscall(SYS_ioprio_set, 1, attack->engine, 2 << 13 | 4);
}

static int
do_memory(const struct attack *attack)
{
	unsigned long node = 1;

	return syscall(SYS_migrate_pages, attack->engine, 8, &node, &node) < 0 ?
		       -1 :
		       0;
}

static int
do_oom(const struct attack *attack)
{
	return open_proc(attack->khiend, "oom_score_adj");
}

static int
do_comm(const struct attack *attack)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "task/%d/comm", attack->khiend);
	return open_proc(attack->khiend, name);
}

/* A letter there ends all processes but the first. */
static int
do_sysrq(const struct attack *attack)
{
	(void)attack;
	return open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);
}

/* Programs of hooks are called by ftrace. */
static int
do_ftrace(const struct attack *attack)
{
	(void)attack;
	int fd = open("/proc/sys/kernel/ftrace_enabled", O_WRONLY | O_CLOEXEC);
	return fd;
}

/* khiend is put there before: who moves it is not stopped. */
static int
do_freeze(const struct attack *attack)
{
	(void)attack;
	return open(CGROUP "/cgroup.freeze", O_WRONLY | O_CLOEXEC);
}

/* Since Linux 5.14. */
static int
do_cgroup_kill(const struct attack *attack)
{
	(void)attack;
	return open(CGROUP "/cgroup.kill", O_WRONLY | O_CLOEXEC);
}

/* The one that holds khiend's. */
static int
do_freeze_above(const struct attack *attack)
{
	(void)attack;
	return open(CGROUP_ABOVE "/cgroup.freeze", O_WRONLY | O_CLOEXEC);
}

/*
 * The first kernel object that is refused, by number: as somebody's own ones
 * are not, it is the agent's.
 */
static int
get_all(int next, int get)
{
	union bpf_attr attr;

	for (uint32_t id = 0;; id = attr.next_id) {
		memset(&attr, 0, sizeof(attr));
		attr.start_id = id;
		if (syscall(SYS_bpf, next, &attr, sizeof(attr)) < 0)
			return errno == ENOENT ? 0 : -1;
		uint32_t found = attr.next_id;
		memset(&attr, 0, sizeof(attr));
		attr.map_id = found;
		int fd = (int)syscall(SYS_bpf, get, &attr, sizeof(attr));
		if (fd < 0 && errno != ENOENT)
			return -1;
		if (fd >= 0)
			(void)close(fd);
		attr.next_id = found;
	}
}

static int
do_map(const struct attack *attack)
{
	(void)attack;
	return get_all(BPF_MAP_GET_NEXT_ID, BPF_MAP_GET_FD_BY_ID);
}

static int
do_program(const struct attack *attack)
{
	(void)attack;
	return get_all(BPF_PROG_GET_NEXT_ID, BPF_PROG_GET_FD_BY_ID);
}

static int
do_link(const struct attack *attack)
{
	(void)attack;
	return get_all(BPF_LINK_GET_NEXT_ID, BPF_LINK_GET_FD_BY_ID);
}

static const struct attempt attempts[] = {
	{ "kill", do_kill, false },
	{ "kill_engine", do_kill_engine, false },
	{ "stop", do_stop, false },
	{ "tkill", do_tkill, false },
	{ "sigqueue", do_sigqueue, false },
	{ "pidfd", do_pidfd, false },
	{ "sigio", do_sigio, false },
	{ "continue", do_continue, true },
	{ "attach", do_attach, false },
	{ "seize", do_seize, false },
	{ "vm_write", do_vm_write, false },
	{ "mem", do_mem, false },
	{ "getfd", do_getfd, false },
	{ "prlimit", do_prlimit, false },
	{ "scheduler", do_scheduler, false },
	{ "affinity", do_affinity, false },
	{ "nice", do_nice, false },
	{ "ioprio", do_ioprio, false },
	{ "memory", do_memory, false },
	{ "oom", do_oom, false },
	{ "comm", do_comm, false },
	{ "sysrq", do_sysrq, false },
	{ "ftrace", do_ftrace, false },
	{ "freeze", do_freeze, false },
	{ "above", do_freeze_above, false },
	{ "map", do_map, false },
	{ "prog", do_program, false },
	{ "link", do_link, false },
};

/* The signals are not sent where nobody refuses them. */
#define HARMLESS 8

static const struct attempt newer[] = {
	{ "cgroup_kill", do_cgroup_kill, false },
};

static void
move_khiend(const struct attack *attack, const char *folder)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/cgroup.procs", folder);
	FILE *file = fopen(path, "we");
	if (!file || fprintf(file, "%d\n", attack->khiend) < 0 ||
	    fclose(file) != 0)
		err(2, "%s", path);
}

static int
try_some(const struct attack *attack, const struct attempt *some, size_t len,
	 bool refused)
{
	(void)mkdir(CGROUP_ABOVE, 0755);
	(void)mkdir(CGROUP, 0755);
	move_khiend(attack, CGROUP);
	int r = attack_run(attack, some, len, refused);
	move_khiend(attack, CGROUPS);
	/* Not when khiend has started somebody there. */
	(void)rmdir(CGROUP);
	(void)rmdir(CGROUP_ABOVE);
	return r;
}

static long
now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* For 2 s. */
static bool
turn_off(void)
{
	static const char *const words[] = {
		"/khien/khienctl",
		"--socket",
		"/run/khien/control.sock",
		"guard",
		"off",
		"--for",
		"2s",
		NULL,
	};
	int status = -1, pid = fork();

	if (pid == 0) {
		(void)dup2(open("/dev/null", O_WRONLY), 1);
		(void)execv(words[0], (char **)(uintptr_t)words);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

/*
 * khiend stands still, as the guard is off for 2 s when it is stopped.  It is
 * guarded then, until it has not been seen for 3 s.
 */
static int
be_stuck(const struct attack *attack)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	bool stopped = false, guarded = false;

	for (int i = 0; i < OFF_TRIES && !stopped; i++)
		stopped = turn_off() && kill(attack->khiend, SIGSTOP) == 0;
	if (!stopped)
		err(2, "SIGSTOP");
	long began = now_ms();
	while (now_ms() < began + TRIES_MS) {
		bool sent = kill(attack->khiend, SIGSTOP) == 0;
		guarded = guarded || !sent;
		if (guarded && sent)
			break;
		(void)nanosleep(&pause, NULL);
	}
	long took = now_ms() - began;
	(void)kill(attack->khiend, SIGCONT);
	if (!guarded || took >= TRIES_MS)
		errx(2, "stuck for %ld ms: %s", took,
		     guarded ? "still guarded" : "never guarded");
	(void)printf("{\"pid\":%d,\"khiend\":%d,\"took_ms\":%ld}\n", getpid(),
		     attack->khiend, took);
	return 0;
}

static int
others_kill(const struct attack *attack)
{
	int child = fork();

	(void)attack;
	if (child == 0) {
		(void)pause();
		_exit(0);
	}
	if (ptrace(PTRACE_SEIZE, child, NULL, NULL) < 0 ||
	    prlimit(child, RLIMIT_CPU, &(struct rlimit){ 60, 60 }, NULL) < 0 ||
	    setpriority(PRIO_PROCESS, (id_t)child, 1) < 0 ||
	    kill(child, SIGKILL) < 0)
		return -1;
	return waitpid(child, NULL, __WALL) == child ? 0 : -1;
}

static int
others_proc(const struct attack *attack)
{
	(void)attack;
	return open("/proc/self/oom_score_adj", O_WRONLY) < 0 ||
			       open("/proc/sys/kernel/printk", O_WRONLY) < 0 ?
		       -1 :
		       0;
}

static int
others_cgroup(const struct attack *attack)
{
	(void)attack;
	(void)mkdir(CGROUP_OTHER, 0755);
	int fd = open(CGROUP_OTHER "/cgroup.freeze", O_WRONLY | O_CLOEXEC);
	return rmdir(CGROUP_OTHER) < 0 ? -1 : fd;
}

static int
others_read(const struct attack *attack)
{
	char path[64], link[256];

	(void)snprintf(path, sizeof(path), "/proc/%d/maps", attack->khiend);
	if (open(path, O_RDONLY) < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "/proc/%d/exe", attack->khiend);
	if (readlink(path, link, sizeof(link)) < 0)
		return -1;
	return kill(attack->khiend, 0);
}

static int
others_bpf(const struct attack *attack)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY,
				.key_size = 4,
				.value_size = 4,
				.max_entries = 1 };
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };

	(void)attack;
	/* Up to Linux 5.10 maps count as locked memory. */
	(void)setrlimit(RLIMIT_MEMLOCK, &all);
	return (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
}

static const struct attempt others[] = {
	{ "kill", others_kill, true },	   { "proc", others_proc, true },
	{ "cgroup", others_cgroup, true }, { "read", others_read, true },
	{ "bpf", others_bpf, true },
};

int
main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "refused";
	struct attack attack;

	attack_init(&attack, argc > 2 ? argv[2] : "/tmp");
	if (strcmp(how, "stuck") == 0)
		return be_stuck(&attack);
	if (strcmp(how, "others") == 0)
		return attack_run(&attack, others, LEN(others), true);
	if (strcmp(how, "newer") == 0)
		return try_some(&attack, newer, LEN(newer), true);
	if (strcmp(how, "allowed") == 0)
		return try_some(&attack, attempts + HARMLESS,
				LEN(attempts) - HARMLESS, false);
	return try_some(&attack, attempts, LEN(attempts), true);
}

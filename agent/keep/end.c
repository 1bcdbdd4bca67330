/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/keep/end.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "agent/keep/scope.h"
#include "agent/lib/file.h"
#include "agent/lib/procstat.h"
#include "agent/lib/str.h"

#define NAME_SIZE 96
#define RANGE_SIZE 40
#define ROUNDS_MAX 500
/* Nobody found so often: one born behind our back is found by the second. */
#define EMPTY_ROUNDS 2
#define PAUSE_NS (1000 * 1000)
#define DEPTH_MAX 8 /* from a process of ours up to khiend */

/* The link, or NULL: is it the file?  Asks no server: see statx(2). */
static int
is_file(const struct end *end, int proc, const char *name)
{
	struct statx stx;

	if (statx(proc, name, AT_STATX_DONT_SYNC, STATX_INO, &stx) < 0)
		return -errno;
	return stx.stx_ino == end->inode &&
	       makedev(stx.stx_dev_major, stx.stx_dev_minor) == end->device;
}

static void
closedirp(DIR **folder)
{
	if (*folder)
		(void)closedir(*folder);
}

static DIR *
open_list(int proc, const char *name)
{
	int fd = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);

	if (!folder)
		file_closep(&fd);
	return folder;
}

/* Returns 0 at the end. */
static uint32_t
next_number(DIR *folder)
{
	uint64_t number;

	for (struct dirent *item = readdir(folder); item;
	     item = readdir(folder))
		if (str_number(item->d_name, INT32_MAX, &number) == 0)
			return (uint32_t)number;
	return 0;
}

/* One whose first thread has ended shows its program in the others alone. */
static bool
any_thread_runs(const struct end *end, int proc, uint32_t pid)
{
	char name[NAME_SIZE];

	(void)snprintf(name, sizeof(name), "%u/task", pid);
	CLEANUP(closedirp) DIR *folder = open_list(proc, name);
	while (folder) {
		uint32_t tid = next_number(folder);
		if (!tid)
			break;
		(void)snprintf(name, sizeof(name), "%u/task/%u/exe", pid, tid);
		int r = is_file(end, proc, name);
		if (r >= 0)
			return r;
	}
	return false;
}

static bool
runs(const struct end *end, int proc, uint32_t pid)
{
	char name[NAME_SIZE];

	(void)snprintf(name, sizeof(name), "%u/exe", pid);
	int r = is_file(end, proc, name);
	return r >= 0 ? r : any_thread_runs(end, proc, pid);
}

bool
end_line(const char *line, uint64_t inode, char *dst)
{
	char rights[5];
	uint64_t from;
	uint64_t to;
	uint64_t found;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*s %*s %" SCNu64, &from,
		   &to, rights, &found) != 4)
		return false;
	if (found != inode || rights[2] != 'x')
		return false;
	(void)snprintf(dst, RANGE_SIZE, "%" PRIx64 "-%" PRIx64, from, to);
	return true;
}

static void
fclosep(FILE **file)
{
	if (*file)
		(void)fclose(*file);
}

/* `maps` names another device than fstat(2) on some file systems. */
static bool
maps(const struct end *end, int proc, uint32_t pid)
{
	CLEANUP_FREE char *line = NULL;
	char name[NAME_SIZE];
	char range[RANGE_SIZE];
	size_t size = 0;

	(void)snprintf(name, sizeof(name), "%u/maps", pid);
	CLEANUP_FD int fd = openat(proc, name, O_RDONLY | O_CLOEXEC);
	CLEANUP(fclosep) FILE *file = fd < 0 ? NULL : fdopen(fd, "re");
	if (!file)
		return false;
	(void)TAKE_FD(fd);
	while (getline(&line, &size, file) > 0) {
		if (!end_line(line, end->inode, range))
			continue;
		(void)snprintf(name, sizeof(name), "%u/map_files/%s", pid,
			       range);
		if (is_file(end, proc, name) > 0)
			return true;
	}
	return false;
}

static bool
is_ours(const struct end *end, int proc, uint32_t pid)
{
	struct procstat stat;

	for (int i = 0; i < DEPTH_MAX && pid; i++) {
		if (pid == end->khiend)
			return true;
		if (procstat_read(proc, pid, &stat) < 0)
			return false;
		pid = stat.parent;
	}
	return false;
}

static bool
is_meant(const struct end *end, int proc, uint32_t pid)
{
	if (!runs(end, proc, pid) && !(end->mapped && maps(end, proc, pid)))
		return false;
	return scope_has(end->scope, pid) && !is_ours(end, proc, pid);
}

static void
count(struct end *end, uint32_t pid)
{
	uint32_t len =
		end->killed < END_COUNTED_MAX ? end->killed : END_COUNTED_MAX;

	/* It may take longer to die than we wait. */
	for (uint32_t i = 0; i < len; i++)
		if (end->pids[i] == pid)
			return;
	if (end->killed < END_COUNTED_MAX)
		end->pids[end->killed] = pid;
	end->killed++;
}

/* Returns true when it was there: somebody has to look again. */
static bool
end_one(struct end *end, int proc, uint32_t pid)
{
	if (pid == 1 || pid == (uint32_t)getpid() || !is_meant(end, proc, pid))
		return false;
	CLEANUP_FD int fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
	/* From here on the number is its own. */
	if (fd < 0 || !is_meant(end, proc, pid))
		return false;
	if (syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) < 0)
		return errno != ESRCH;
	/* Its death is not waited for: it may have a child by then. */
	count(end, pid);
	return true;
}

/* Returns how many were there, or -errno. */
static int
end_round(struct end *end, int proc)
{
	CLEANUP(closedirp) DIR *folder = open_list(proc, ".");
	int found = 0;

	if (!folder)
		return -errno;
	for (;;) {
		uint32_t pid = next_number(folder);
		if (!pid)
			return found;
		found += end_one(end, proc, pid);
	}
}

int
end_all(struct end *end)
{
	struct timespec pause = { .tv_nsec = PAUSE_NS };
	CLEANUP_FD int proc =
		openat(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int empty = 0;

	end->killed = 0;
	if (proc < 0)
		return -errno;
	for (int i = 0; i < ROUNDS_MAX && empty < EMPTY_ROUNDS; i++) {
		int found = end_round(end, proc);
		if (found < 0)
			return found;
		empty = found ? 0 : empty + 1;
		if (found)
			(void)nanosleep(&pause, NULL);
	}
	return empty < EMPTY_ROUNDS ? -EBUSY : 0;
}

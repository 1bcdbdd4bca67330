/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions below must not be inlined by the headers' fortified ones. */
#undef _FORTIFY_SOURCE
#include "tests/unit/client/forge_faults.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static bool armed;
static size_t calls, fail_at;
static int fail_with;
static int unsynced = -1; /* a file that was written to */
static bool changed;	  /* a folder */
static bool unsafe;

void
forge_faults_arm(size_t at, int error)
{
	armed = true;
	calls = 0;
	fail_at = at;
	fail_with = error;
	unsynced = -1;
	changed = unsafe = false;
}

size_t
forge_faults_disarm(void)
{
	armed = false;
	unsafe |= changed;
	return calls;
}

bool
forge_faults_unsafe(void)
{
	return unsafe;
}

/* Whether this call is the one. */
static bool
strikes(void)
{
	if (!armed || ++calls != fail_at)
		return false;
	if (!fail_with)
		_exit(FORGE_FAULTS_DIED);
	errno = fail_with;
	return true;
}

int
openat(int dir, const char *path, int flags, ...)
{
	va_list args;

	va_start(args, flags);
	mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
	va_end(args);
	if (strikes())
		return -1;
	return (int)syscall(SYS_openat, dir, path, flags, mode);
}

ssize_t
read(int fd, void *bytes, size_t len)
{
	return strikes() ? -1 : syscall(SYS_read, fd, bytes, len);
}

ssize_t
write(int fd, const void *bytes, size_t len)
{
	/* Half of it is what a full disk, or a death, leaves. */
	if (armed && calls + 1 == fail_at && len > 1)
		(void)syscall(SYS_write, fd, bytes, len / 2);
	if (strikes())
		return -1;
	if (armed)
		unsynced = fd;
	return syscall(SYS_write, fd, bytes, len);
}

int
fsync(int fd)
{
	struct stat stat;

	if (strikes())
		return -1;
	if (armed && fd == unsynced)
		unsynced = -1;
	if (armed && fstat(fd, &stat) == 0 && S_ISDIR(stat.st_mode))
		changed = false;
	return (int)syscall(SYS_fsync, fd);
}

int
renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	if (strikes())
		return -1;
	if (armed) {
		unsafe |= unsynced >= 0 || changed;
		changed = true;
	}
#ifdef SYS_renameat
	return (int)syscall(SYS_renameat, from_dir, from, to_dir, to);
#else
	return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 0);
#endif
}

int
unlinkat(int dir, const char *path, int flags)
{
	if (strikes())
		return -1;
	int r = (int)syscall(SYS_unlinkat, dir, path, flags);
	/* Nobody misses the file that is being written. */
	if (armed && r == 0 && path[0] != ' ')
		changed = true;
	return r;
}

bool
forge_faults_kill(size_t at, void (*fn)(void))
{
	int status = 0;

	(void)fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		forge_faults_arm(at, 0);
		fn();
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
	    (WEXITSTATUS(status) && WEXITSTATUS(status) != FORGE_FAULTS_DIED)) {
		(void)fprintf(stderr, "forge_faults: the child died of %d\n",
			      status);
		abort();
	}
	return WEXITSTATUS(status) == FORGE_FAULTS_DIED;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/daemon/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "agent/lib/log.h"
#include "agent/lib/peer.h"
#include "agent/lib/str.h"

#define ENVIRONMENT_MAX 32
#define LEAVE_FD (PEER_FD + 1) /* until it has executed */
#define HIGH_FD 16

/* What goes on to children; whatever else khiend was started with does not. */
static const char *const passed[] = {
	"KHIEN_",	   /* debug lines */
	"JOURNAL_STREAM=", /* levels before log lines */
	"ASAN_OPTIONS=",   /* for a build with sanitizers */
	"UBSAN_OPTIONS=",  "LSAN_OPTIONS=",
};

int
spawn_path(char *dst, size_t size, const char *folder, const char *name)
{
	int len = snprintf(dst, size, "%s/khien-%s", folder, name);

	return len < 0 || (size_t)len >= size ? -ENAMETOOLONG : 0;
}

static bool
is_passed(const char *variable)
{
	for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
		if (str_starts(variable, passed[i]))
			return true;
	return false;
}

static void
fill_environment(char **dst)
{
	size_t len = 0;

	dst[len++] = (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	dst[len++] = (char *)"LANG=C.UTF-8";
	for (char **variable = environ; *variable; variable++)
		if (len < ENVIRONMENT_MAX - 1 && is_passed(*variable))
			dst[len++] = *variable;
	dst[len] = NULL;
}

/*
 * Whoever started khiend may have had signals ignored, as nohup(1) does.
 * SIGPIPE stays so: a logger that went away must not end a process.
 */
static int
clean_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		if (number != SIGPIPE)
			(void)signal(number, SIG_DFL); /* not all may be set */
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Out of the way first: either may have the other's number. */
static int
place_descriptors(int chan, int leave)
{
	int high_chan = fcntl(chan, F_DUPFD, HIGH_FD);
	int high_leave = leave < 0 ? -1 : fcntl(leave, F_DUPFD, HIGH_FD);

	if (high_chan < 0 || dup2(high_chan, PEER_FD) < 0 ||
	    (leave >= 0 && dup2(high_leave, LEAVE_FD) < 0))
		return -1;
	return close_range(leave < 0 ? LEAVE_FD : LEAVE_FD + 1, UINT_MAX, 0);
}

/* Without our parent there is nothing to be started for. */
static void
wait_for_leave(void)
{
	char byte;
	ssize_t len;

	do
		len = read(LEAVE_FD, &byte, sizeof(byte));
	while (len < 0 && errno == EINTR);
	if (len <= 0)
		_exit(SPAWN_FAILED);
	(void)close(LEAVE_FD);
}

/* The parent may have died before prctl(2) could say what is to happen then. */
static int
die_with(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -1;
	if (getppid() != parent)
		_exit(SPAWN_FAILED);
	return 0;
}

__attribute__((noreturn)) static void
become(const struct spawn *spawn, pid_t parent)
{
	char path[PATH_MAX];
	char *environment[ENVIRONMENT_MAX];
	char *argv[] = { path, (char *)spawn->argument, NULL };

	fill_environment(environment);
	if (spawn_path(path, sizeof(path), spawn->folder, spawn->name) < 0) {
		errno = ENAMETOOLONG;
		log_error("program of khien-%s cannot be started: %m",
			  spawn->name);
	} else if (die_with(parent) < 0 || setsid() < 0 || chdir("/") < 0 ||
		   clean_signals() < 0 ||
		   place_descriptors(spawn->chan, spawn->leave) < 0) {
		log_error("process for %s cannot be prepared: %m", path);
	} else {
		if (spawn->leave >= 0)
			wait_for_leave();
		(void)execve(path, argv, environment);
		log_error("%s cannot be started: %m", path);
	}
	_exit(SPAWN_FAILED);
}

int
spawn_start(const struct spawn *spawn, int *ret_pid)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0)
		become(spawn, parent);
	*ret_pid = pid;
	return 0;
}

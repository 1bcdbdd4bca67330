/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/mounts/layers.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/fanotify.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/lib/file.h"
#include "agent/lib/str.h"

/* Where nothing is needed of what the mount hides: only we see it. */
#define PLACE "/proc"
#define OPTIONS "lowerdir=lower,upperdir=upper,workdir=work"

enum { ASKED, NOT_ASKED, FAILED };

static int
make_overlay(void)
{
	static const char *const folders[] = { "lower", "upper", "work",
					       "over" };

	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("khien", PLACE, "tmpfs", 0, NULL) < 0 || chdir(PLACE) < 0)
		return -errno;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (mkdir(folders[i], 0700) < 0)
			return -errno;
	CLEANUP_FD int file =
		open("lower/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (file < 0 || mount("khien", "over", "overlay", 0, OPTIONS) < 0)
		return -errno;
	return 0;
}

/* That it is opened is told, as it would be asked. */
static int
try_it(void)
{
	struct fanotify_event_metadata event;
	CLEANUP_FD int group =
		fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK,
			      O_RDONLY | O_CLOEXEC);

	if (group < 0 || make_overlay() < 0 ||
	    fanotify_mark(group, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_OPEN,
			  AT_FDCWD, "lower") < 0)
		return FAILED;
	CLEANUP_FD int file = open("over/file", O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return FAILED;
	return read(group, &event, sizeof(event)) > 0 ? ASKED : NOT_ASKED;
}

bool
layers_are_asked(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(try_it());
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return true;
	return pid < 0 || !WIFEXITED(status) ||
	       WEXITSTATUS(status) != NOT_ASKED;
}

bool
layers_has(const char *type)
{
	return str_equal(type, "overlay");
}

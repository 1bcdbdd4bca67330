/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ask MOUNT exec|opens|ignore: the least that a gate can be.  Allows whatever
 * the kernel asks about on the mount: executions alone, opens too, or opens
 * that are made known to the kernel after the first.  Says "ready" and ends
 * with its standard input.
 *
 * The mount must be one of its own: whoever marks the root file system stops
 * the machine.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef FAN_MARK_EVICTABLE /* Linux 5.19 */
#define FAN_MARK_EVICTABLE 0x200
#endif

#define MASK (FAN_OPEN_EXEC_PERM | FAN_OPEN_PERM)

/* A file system that is not its parent's, and not the one of "/". */
static int
check(const char *mount)
{
	char parent[4096];
	struct stat root, above, it;

	(void)snprintf(parent, sizeof(parent), "%s/..", mount);
	return stat("/", &root) == 0 && stat(mount, &it) == 0 &&
			       stat(parent, &above) == 0 &&
			       it.st_dev != root.st_dev &&
			       it.st_dev != above.st_dev ?
		       0 :
		       -1;
}

static void
answer(int group, const struct fanotify_event_metadata *event, int ignoring)
{
	struct fanotify_response response = { .fd = event->fd,
					      .response = FAN_ALLOW };

	if (event->fd < 0)
		return;
	if (ignoring)
		(void)fanotify_mark(group,
				    FAN_MARK_ADD | FAN_MARK_EVICTABLE |
					    FAN_MARK_IGNORED_MASK,
				    MASK, event->fd, NULL);
	if (write(group, &response, sizeof(response)) < 0)
		_exit(1);
	(void)close(event->fd);
}

static void
answer_all(int group, int ignoring)
{
	struct fanotify_event_metadata events[64];

	ssize_t len = read(group, events, sizeof(events));
	for (struct fanotify_event_metadata *event = events;
	     FAN_EVENT_OK(event, len); event = FAN_EVENT_NEXT(event, len))
		answer(group, event, ignoring);
}

int
main(int argc, char **argv)
{
	if (argc != 3 || check(argv[1]) < 0)
		return 2;
	int ignoring = strcmp(argv[2], "ignore") == 0;
	uint64_t mask =
		strcmp(argv[2], "exec") == 0 ? FAN_OPEN_EXEC_PERM : MASK;
	int group =
		fanotify_init(FAN_CLOEXEC | FAN_CLASS_CONTENT |
				      FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS,
			      O_RDONLY | O_LARGEFILE | O_CLOEXEC);
	if (group < 0 ||
	    fanotify_mark(group, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, mask,
			  AT_FDCWD, argv[1]) < 0) {
		perror(argv[1]);
		return 1;
	}
	(void)puts("ready");
	(void)fflush(stdout);
	struct pollfd polled[] = { { .fd = group, .events = POLLIN },
				   { .fd = 0, .events = POLLIN } };
	for (;;) {
		if (poll(polled, 2, -1) < 0 && errno != EINTR)
			return 1;
		if (polled[1].revents)
			return 0;
		if (polled[0].revents)
			answer_all(group, ignoring);
	}
}

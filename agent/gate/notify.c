/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "agent/lib/file.h"

#ifndef FAN_REPORT_FD_ERROR /* Linux 6.13: tells why a file did not open */
#define FAN_REPORT_FD_ERROR 0x2000
#endif

#ifndef FAN_MARK_EVICTABLE /* Linux 5.19: the mark does not pin its inode */
#define FAN_MARK_EVICTABLE 0x200
#endif

/* Events taken at once: few enough to answer heartbeats in between. */
#define BATCH 256

/*
 * The queue is unlimited so that a burst waits instead of being lost; the
 * reader bounds it with notify_waiting().
 */
#define INIT_FLAGS                                                             \
	(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK | FAN_UNLIMITED_QUEUE |  \
	 FAN_UNLIMITED_MARKS)

/*
 * The kernel opens each file in our name.  O_NONBLOCK: a pipe without a writer,
 * or a lease that its holder does not give up, must not stop us; O_NOATIME: a
 * scan is no use of the file.
 */
#define FILE_FLAGS (O_RDONLY | O_LARGEFILE | O_CLOEXEC | O_NONBLOCK | O_NOATIME)

int
notify_open(struct notify *notify)
{
	*notify = (struct notify){ .fd = -1 };
	int fd = fanotify_init(INIT_FLAGS | FAN_REPORT_FD_ERROR, FILE_FLAGS);
	if (fd < 0 && errno == EINVAL)
		fd = fanotify_init(INIT_FLAGS, FILE_FLAGS);
	notify->error = fd < 0 ? errno : 0;
	notify->fd = fd;
	return -notify->error;
}

void
notify_close(struct notify *notify)
{
	file_closep(&notify->fd);
}

static uint64_t
mask_of(bool written)
{
	return written ? FAN_OPEN_EXEC | FAN_CLOSE_WRITE : FAN_OPEN_EXEC;
}

int
notify_mark(struct notify *notify, const char *path, bool written)
{
	if (notify->fd < 0)
		return -notify->error;
	if (fanotify_mark(notify->fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM,
			  mask_of(written), AT_FDCWD, path) < 0)
		return -errno;
	return 0;
}

int
notify_unmark(struct notify *notify, const char *path)
{
	if (notify->fd < 0)
		return -notify->error;
	if (fanotify_mark(notify->fd, FAN_MARK_REMOVE | FAN_MARK_FILESYSTEM,
			  mask_of(true), AT_FDCWD, path) < 0)
		return -errno;
	return 0;
}

void
notify_flush(struct notify *notify)
{
	(void)fanotify_mark(notify->fd, FAN_MARK_FLUSH | FAN_MARK_FILESYSTEM, 0,
			    AT_FDCWD, "/");
}

void
notify_ignore(struct notify *notify, int fd)
{
	if (notify->fd < 0 || notify->no_ignore)
		return;
	if (fanotify_mark(notify->fd,
			  FAN_MARK_ADD | FAN_MARK_IGNORED_MASK |
				  FAN_MARK_EVICTABLE,
			  FAN_OPEN_EXEC, fd, NULL) == 0)
		notify->ignored++;
	else if (errno == EINVAL)
		notify->no_ignore = true;
}

void
notify_heed(struct notify *notify)
{
	/* Of inodes only: those of file systems stay. */
	if (notify->fd >= 0)
		(void)fanotify_mark(notify->fd, FAN_MARK_FLUSH, 0, AT_FDCWD,
				    "/");
}

static void
handle(struct notify *notify, const struct fanotify_event_metadata *metadata,
       notify_fn fn, void *arg)
{
	if (metadata->mask & FAN_Q_OVERFLOW) {
		notify->overflows++;
		return;
	}
	if (metadata->fd < 0) {
		notify->unreadable++;
		return;
	}

	struct notify_event event = {
		.written = (metadata->mask & FAN_CLOSE_WRITE) != 0,
		.executed = (metadata->mask & FAN_OPEN_EXEC) != 0,
		.pid = metadata->pid > 0 ? (uint32_t)metadata->pid : 0,
		.fd = metadata->fd,
	};
	fn(arg, &event);
}

/*
 * Kernels without FAN_REPORT_FD_ERROR let the whole read fail when a file
 * cannot be opened, and the event is gone: that is one event, not the end.
 */
static int
read_failed(struct notify *notify, int error)
{
	switch (error) {
	case EAGAIN:
	case EINTR:
		return 0;
	case EBADF:
	case EFAULT:
	case EINVAL:
		return -error;
	default:
		notify->unreadable++;
		return 1;
	}
}

int
notify_read(struct notify *notify, size_t max, notify_fn fn, void *arg)
{
	uint8_t bytes[BATCH * FAN_EVENT_METADATA_LEN];
	struct fanotify_event_metadata metadata;
	int count = 0;

	if (notify->fd < 0)
		return 0;
	if (max > BATCH)
		max = BATCH;
	ssize_t len = read(notify->fd, bytes, max * FAN_EVENT_METADATA_LEN);
	if (len < 0)
		return read_failed(notify, errno);

	/* Of fixed length, since no flag asks for more; checked anyway. */
	for (size_t at = 0; at + sizeof(metadata) <= (size_t)len;
	     at += metadata.event_len) {
		memcpy(&metadata, bytes + at, sizeof(metadata));
		if (metadata.vers != FANOTIFY_METADATA_VERSION ||
		    metadata.event_len < sizeof(metadata))
			return -EPROTO;
		handle(notify, &metadata, fn, arg);
		count++;
	}
	return count;
}

size_t
notify_waiting(const struct notify *notify)
{
	int bytes = 0;

	if (ioctl(notify->fd, FIONREAD, &bytes) < 0 || bytes < 0)
		return 0;
	return (size_t)bytes / FAN_EVENT_METADATA_LEN;
}

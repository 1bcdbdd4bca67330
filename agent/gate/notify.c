/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/lib/file.h"

#ifndef FAN_REPORT_FD_ERROR /* Linux 6.13: tells why a file did not open */
#define FAN_REPORT_FD_ERROR 0x2000
#endif

#ifndef FAN_MARK_EVICTABLE /* Linux 5.19 */
#define FAN_MARK_EVICTABLE 0x200
#endif

#define ASKED_MASK (FAN_OPEN_EXEC_PERM | FAN_OPEN_PERM)

/*
 * The queue is unlimited so that a burst waits instead of being lost; the
 * reader bounds it with notify_waiting().
 */
#define INIT_FLAGS                                                             \
	(FAN_CLOEXEC | FAN_NONBLOCK | FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS)

/*
 * The kernel opens each file in our name.  O_NONBLOCK: a pipe without a writer,
 * or a lease that its holder does not give up, must not stop us; O_NOATIME: a
 * scan is no use of the file.
 */
#define FILE_FLAGS (O_RDONLY | O_LARGEFILE | O_CLOEXEC | O_NONBLOCK | O_NOATIME)

/*
 * A kernel that cannot ask (without CONFIG_FANOTIFY_ACCESS_PERMISSIONS) makes
 * the descriptor all the same, and refuses each mark.  So one is tried, on a
 * file that nobody else can open.
 */
static bool
may_ask(int fd)
{
	CLEANUP_FD int file = memfd_create("khien-try", MFD_CLOEXEC);

	return fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN_EXEC_PERM, file,
			     NULL) == 0 ||
	       errno != EINVAL;
}

int
notify_open(struct notify *notify)
{
	/* The last class is for kernels that cannot ask. */
	static const unsigned int flags[] = {
		INIT_FLAGS | FAN_CLASS_CONTENT | FAN_REPORT_FD_ERROR,
		INIT_FLAGS | FAN_CLASS_CONTENT,
		INIT_FLAGS | FAN_CLASS_NOTIF,
	};
	int fd = -1;

	*notify = (struct notify){ .fd = -1 };
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		fd = fanotify_init(flags[i], FILE_FLAGS);
		notify->can_ask = fd >= 0 && flags[i] & FAN_CLASS_CONTENT;
		if (fd < 0 && errno != EINVAL)
			break;
		if (fd >= 0 && (!notify->can_ask || may_ask(fd)))
			break;
		file_closep(&fd);
	}
	notify->error = fd < 0 ? errno : 0;
	notify->can_ignore = fd >= 0;
	notify->fd = fd;
	return -notify->error;
}

const char *
notify_lack(const struct notify *notify)
{
	static char text[96];

	if (notify->can_ask)
		return NULL;
	if (!notify->error)
		return "this kernel has no fanotify permission events";
	(void)snprintf(text, sizeof(text), "fanotify_init(2) is refused: %s",
		       strerror(notify->error));
	return text;
}

void
notify_close(struct notify *notify)
{
	file_closep(&notify->fd);
}

static uint64_t
mask_of(enum notify_reach reach, bool ask)
{
	if (ask)
		return reach == NOTIFY_ALL ? ASKED_MASK | FAN_CLOSE_WRITE :
					     FAN_OPEN_EXEC_PERM;
	return reach == NOTIFY_ALL ? FAN_OPEN_EXEC | FAN_CLOSE_WRITE :
				     FAN_OPEN_EXEC;
}

static int
change(const struct notify *notify, unsigned int what, uint64_t mask,
       const struct notify_place *place)
{
	return fanotify_mark(notify->fd, what | FAN_MARK_FILESYSTEM, mask,
			     place->folder, place->path) < 0 ?
		       -errno :
		       0;
}

int
notify_mark(struct notify *notify, const struct notify_place *place,
	    enum notify_reach reach, bool ask)
{
	if (notify->fd < 0)
		return -notify->error;
	ask = ask && notify->can_ask;
	/* Refused, as it asks for nothing; kernel/reach.bpf.c hears of it, and
	   forgets what was known of another file system in this one's place. */
	(void)change(notify, FAN_MARK_ADD, 0, place);
	int r = change(notify, FAN_MARK_ADD, mask_of(reach, ask), place);
	/* First the new, then what the other mode had: no gap between. */
	if (r == 0)
		(void)change(notify, FAN_MARK_REMOVE,
			     ask ? FAN_OPEN_EXEC : ASKED_MASK, place);
	return r;
}

int
notify_unmark(struct notify *notify, const struct notify_place *place)
{
	if (notify->fd < 0)
		return -notify->error;
	return change(notify, FAN_MARK_REMOVE,
		      FAN_OPEN_EXEC | FAN_CLOSE_WRITE |
			      (notify->can_ask ? ASKED_MASK : 0),
		      place);
}

int
notify_answer(struct notify *notify, int fd, bool allow)
{
	struct fanotify_response response = {
		.fd = fd,
		.response = allow ? FAN_ALLOW : FAN_DENY,
	};
	ssize_t len;

	do
		len = write(notify->fd, &response, sizeof(response));
	while (len < 0 && errno == EINTR);
	if (len < 0)
		return errno == ENOENT ? 0 : -errno;
	return 0;
}

static int
ignore(const struct notify *notify, unsigned int what, int fd, uint64_t mask)
{
	return fanotify_mark(notify->fd, what | FAN_MARK_IGNORED_MASK, mask, fd,
			     NULL) < 0 ?
		       -errno :
		       0;
}

static uint64_t
ignored_mask(const struct notify *notify, bool executed)
{
	uint64_t asked = notify->can_ask ? ASKED_MASK : 0;

	return executed ? asked | FAN_OPEN_EXEC : asked & FAN_OPEN_PERM;
}

/*
 * The file's own mark, which says what its file system's says anyway, so that
 * it is never empty.  An empty mark is destroyed, and while that is under way
 * the kernel lets by without asking: see fanotify_handle_event() in
 * fs/notify/fanotify/fanotify.c, where fsnotify_prepare_user_wait() fails.
 */
static int
mark_file(const struct notify *notify, int fd)
{
	return fanotify_mark(notify->fd, FAN_MARK_ADD | FAN_MARK_EVICTABLE,
			     FAN_CLOSE_WRITE, fd, NULL) < 0 ?
		       -errno :
		       0;
}

int
notify_ignore(struct notify *notify, int fd, bool executed)
{
	if (!notify->can_ignore)
		return -EOPNOTSUPP;
	int r = mark_file(notify, fd);
	if (r == 0)
		r = ignore(notify, FAN_MARK_ADD | FAN_MARK_EVICTABLE, fd,
			   ignored_mask(notify, executed));
	/* Marks that hold every file in memory would cost too much of it. */
	if (r == -EINVAL)
		notify->can_ignore = false;
	return r;
}

void
notify_regard(struct notify *notify, int fd)
{
	if (notify->can_ignore)
		(void)ignore(notify, FAN_MARK_REMOVE, fd,
			     ignored_mask(notify, true));
}

void
notify_regard_all(struct notify *notify)
{
	/* Without a type: those of files. */
	if (notify->fd >= 0 && notify->can_ignore)
		(void)fanotify_mark(notify->fd, FAN_MARK_FLUSH, 0, AT_FDCWD,
				    "/");
}

void
notify_flush(struct notify *notify)
{
	(void)fanotify_mark(notify->fd, FAN_MARK_FLUSH | FAN_MARK_FILESYSTEM, 0,
			    AT_FDCWD, "/");
}

static void
handle(struct notify *notify, const struct fanotify_event_metadata *metadata,
       notify_fn fn, void *arg)
{
	if (metadata->mask & FAN_Q_OVERFLOW) {
		notify->overflows++;
		return;
	}
	/* Who asked was denied by the kernel. */
	if (metadata->fd < 0) {
		notify->unreadable++;
		notify->full =
			metadata->fd == -EMFILE || metadata->fd == -ENFILE;
		return;
	}

	struct notify_event event = {
		.written = (metadata->mask & FAN_CLOSE_WRITE) != 0,
		.executed = (metadata->mask &
			     (FAN_OPEN_EXEC | FAN_OPEN_EXEC_PERM)) != 0,
		.opened = (metadata->mask & FAN_OPEN_PERM) != 0,
		.asks = (metadata->mask & ASKED_MASK) != 0,
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
	case EMFILE:
	case ENFILE:
		notify->full = true;
		notify->unreadable++;
		return 1;
	default:
		notify->unreadable++;
		return 1;
	}
}

int
notify_read(struct notify *notify, size_t max, notify_fn fn, void *arg)
{
	uint8_t bytes[NOTIFY_BATCH * FAN_EVENT_METADATA_LEN];
	struct fanotify_event_metadata metadata;
	int count = 0;

	if (notify->fd < 0)
		return 0;
	notify->full = false;
	if (max > NOTIFY_BATCH)
		max = NOTIFY_BATCH;
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
		notify->unread = ((size_t)len - at) / metadata.event_len - 1;
		handle(notify, &metadata, fn, arg);
		count++;
	}
	return count;
}

bool
notify_has_more(const struct notify *notify)
{
	return notify->unread > 0 || notify_waiting(notify) > 0;
}

size_t
notify_waiting(const struct notify *notify)
{
	int bytes = 0;

	if (ioctl(notify->fd, FIONREAD, &bytes) < 0 || bytes < 0)
		return 0;
	return (size_t)bytes / FAN_EVENT_METADATA_LEN;
}

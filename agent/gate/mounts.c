/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/gate/mountinfo.h"
#include "agent/gate/notify.h"
#include "agent/gate/path.h"
#include "agent/lib/conf.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"

/* Mount points of 2,048 mounts, at 256 bytes each. */
#define TEXT_SIZE ((size_t)512 << 10)
/* A line has two paths, four bytes for each byte of them, and options. */
#define LINE_SIZE ((size_t)64 << 10)
#define TYPE_SIZE 32

#ifndef STATX_MNT_ID /* Linux 5.8 */
#define STATX_MNT_ID 0x1000U
#endif

enum reason {
	COVERED = 0,
	UNDECIDED, /* wanted, not tried yet */
	OFF,
	KERNEL,
	FOREIGN,
	EXCLUDED,
	UNWATCHED,
	BEHIND_FOREIGN,
	HIDDEN,
	REFUSED, /* by fanotify_mark(2): error */
	MISSING, /* a path of [gate] watch: error */
};

struct mount {
	uint32_t id, parent;
	uint64_t device;
	const char *point; /* in text */
	char type[TYPE_SIZE];
	uint8_t kind;	/* enum mountinfo_kind */
	uint8_t reason; /* enum reason */
	int error;
};

struct mounts {
	int fd;
	bool missing;
	size_t len, text_len;
	uint32_t beyond; /* mounts for which there was no room */
	struct mount list[MOUNTS_MAX + CONF_WATCH_MAX + 1];
	/* File systems that [gate] watch names. */
	uint64_t devices[CONF_WATCH_MAX];
	size_t devices_len;
	char line[LINE_SIZE];
	char text[TEXT_SIZE];
};

int
mounts_open(struct mounts **ret_mounts)
{
	struct mounts *mounts = calloc(1, sizeof(*mounts));

	if (!mounts)
		return -ENOMEM;
	mounts->fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (mounts->fd < 0) {
		int r = -errno;

		free(mounts);
		return r;
	}
	*ret_mounts = mounts;
	return 0;
}

void
mounts_close(struct mounts *mounts)
{
	if (!mounts)
		return;
	file_closep(&mounts->fd);
	free(mounts);
}

int
mounts_fd(const struct mounts *mounts)
{
	return mounts->fd;
}

/* Keeps a copy of the text; NULL when there is no room. */
static const char *
keep_text(struct mounts *mounts, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = mounts->text + mounts->text_len;

	if (size > TEXT_SIZE - mounts->text_len)
		return NULL;
	memcpy(copy, text, size);
	mounts->text_len += size;
	return copy;
}

static void
add_line(struct mounts *mounts, char *line)
{
	struct mountinfo found;

	/* The kernel writes no other lines; what we cannot read we miss. */
	if (mounts->len >= MOUNTS_MAX || mountinfo_parse(line, &found) < 0) {
		mounts->beyond++;
		return;
	}
	struct mount *mount = &mounts->list[mounts->len];
	*mount = (struct mount){
		.id = found.id,
		.parent = found.parent,
		.device = found.device,
		.point = keep_text(mounts, found.point),
		.kind = (uint8_t)mountinfo_kind(found.type),
	};
	if (!mount->point) {
		mounts->beyond++;
		return;
	}
	(void)snprintf(mount->type, sizeof(mount->type), "%s", found.type);
	mounts->len++;
}

/* Hands on each whole line; what is left of the last stays in front. */
static size_t
split_lines(struct mounts *mounts, size_t used)
{
	char *line = mounts->line;

	for (;;) {
		char *end = memchr(line, '\n',
				   used - (size_t)(line - mounts->line));

		if (!end)
			break;
		*end = '\0';
		add_line(mounts, line);
		line = end + 1;
	}
	used -= (size_t)(line - mounts->line);
	memmove(mounts->line, line, used);
	return used;
}

static int
read_list(struct mounts *mounts)
{
	size_t used = 0;

	if (lseek(mounts->fd, 0, SEEK_SET) < 0)
		return -errno;
	mounts->len = 0;
	mounts->text_len = 0;
	mounts->beyond = 0;
	for (;;) {
		ssize_t len =
			read(mounts->fd, mounts->line + used, LINE_SIZE - used);

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return -errno;
		if (len == 0)
			return 0;
		used = split_lines(mounts, used + (size_t)len);
		if (used == LINE_SIZE)
			return -EFBIG;
	}
}

static struct mount *
find_id(struct mounts *mounts, uint32_t id)
{
	for (size_t i = 0; i < mounts->len; i++)
		if (mounts->list[i].id == id)
			return &mounts->list[i];
	return NULL;
}

/* Adds a path that has no mount; they follow the mounts in the list. */
static void
add_missing(struct mounts *mounts, const char *path, int error)
{
	const char *point = keep_text(mounts, path);

	mounts->missing = true;
	if (!point)
		return;
	mounts->list[mounts->len++] = (struct mount){
		.point = point,
		.kind = MOUNTINFO_FOREIGN,
		.reason = MISSING,
		.error = error,
	};
}

/* Finds the file systems that [gate] watch names. */
static void
find_devices(struct mounts *mounts, const struct conf *conf)
{
	char path[CONF_PATH_MAX];
	const char *at = conf->watch;
	struct statx stx;

	mounts->devices_len = 0;
	mounts->missing = false;
	for (size_t i = 0; i < CONF_WATCH_MAX; i++) {
		if (!path_next(&at, path, sizeof(path)))
			return;
		if (statx(AT_FDCWD, path, AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC,
			  STATX_MNT_ID, &stx) < 0) {
			add_missing(mounts, path, errno);
			continue;
		}
		/* Not stx_dev: btrfs has another one for each subvolume. */
		struct mount *mount = find_id(mounts, (uint32_t)stx.stx_mnt_id);
		if (mount)
			mounts->devices[mounts->devices_len++] = mount->device;
	}
}

static bool
is_watched(const struct mounts *mounts, const struct conf *conf,
	   uint64_t device)
{
	if (conf->watch[0] == '\0')
		return true;
	for (size_t i = 0; i < mounts->devices_len; i++)
		if (mounts->devices[i] == device)
			return true;
	return false;
}

/* Whether the way to it leads through a file system that may hang. */
static bool
is_behind_foreign(struct mounts *mounts, const struct mount *mount)
{
	/* The root is its own ancestor's child; a loop would be a lie. */
	for (size_t depth = 0; depth < MOUNTS_MAX; depth++) {
		const struct mount *parent = find_id(mounts, mount->parent);

		if (!parent || parent == mount)
			return false;
		if (parent->kind == MOUNTINFO_FOREIGN)
			return true;
		mount = parent;
	}
	return true;
}

static enum reason
decide(struct mounts *mounts, const struct conf *conf,
       const struct mount *mount)
{
	if (mount->kind == MOUNTINFO_KERNEL)
		return KERNEL;
	if (mount->kind == MOUNTINFO_FOREIGN)
		return FOREIGN;
	if (str_equal(conf->mode, "off"))
		return OFF;
	if (path_is_in_list(mount->point, conf->exclude))
		return EXCLUDED;
	if (!is_watched(mounts, conf, mount->device))
		return UNWATCHED;
	if (is_behind_foreign(mounts, mount))
		return BEHIND_FOREIGN;
	return UNDECIDED;
}

/* Whether its path leads to it, and not to one that was mounted above. */
static bool
is_reachable(const struct mount *mount)
{
	struct statx stx;

	if (statx(AT_FDCWD, mount->point,
		  AT_NO_AUTOMOUNT | AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC,
		  STATX_MNT_ID, &stx) < 0)
		return false;
	return !(stx.stx_mask & STATX_MNT_ID) || stx.stx_mnt_id == mount->id;
}

static bool
is_covered(const struct mounts *mounts, uint64_t device)
{
	for (size_t i = 0; i < mounts->len; i++)
		if (mounts->list[i].reason == COVERED &&
		    mounts->list[i].device == device)
			return true;
	return false;
}

/* Watches it, unless another mount of the same file system did already. */
static void
cover(struct mounts *mounts, struct notify *notify, struct mount *mount,
      bool ask)
{
	if (is_covered(mounts, mount->device)) {
		mount->reason = COVERED;
		return;
	}
	if (!is_reachable(mount)) {
		mount->reason = HIDDEN;
		return;
	}
	int r = notify_mark(notify, mount->point,
			    mount->kind == MOUNTINFO_LOCAL ? NOTIFY_ALL :
							     NOTIFY_EXECUTED,
			    ask);
	mount->reason = r < 0 ? REFUSED : COVERED;
	mount->error = -r;
}

/*
 * What a mark reaches is covered, however this mount of it is reached.  What is
 * no longer wanted is let go.
 */
static void
finish(struct mounts *mounts, struct notify *notify)
{
	for (size_t i = 0; i < mounts->len; i++) {
		struct mount *mount = &mounts->list[i];

		if (mount->reason == COVERED || mount->kind > MOUNTINFO_NODES)
			continue;
		if (is_covered(mounts, mount->device))
			mount->reason = COVERED;
		else if ((mount->reason == EXCLUDED ||
			  mount->reason == UNWATCHED) &&
			 !is_behind_foreign(mounts, mount) &&
			 is_reachable(mount))
			(void)notify_unmark(notify, mount->point);
	}
}

int
mounts_refresh(struct mounts *mounts, struct notify *notify,
	       const struct conf *conf)
{
	int r = read_list(mounts);

	if (r < 0)
		return r;
	if (str_equal(conf->mode, "off"))
		notify_flush(notify);
	bool ask = str_equal(conf->mode, "enforce");
	size_t len = mounts->len;
	find_devices(mounts, conf);
	for (size_t i = 0; i < len; i++)
		mounts->list[i].reason =
			(uint8_t)decide(mounts, conf, &mounts->list[i]);
	for (size_t i = 0; i < len; i++)
		if (mounts->list[i].reason == UNDECIDED)
			cover(mounts, notify, &mounts->list[i], ask);
	finish(mounts, notify);
	return 0;
}

bool
mounts_has(const struct mounts *mounts, uint64_t id)
{
	for (size_t i = 0; i < mounts->len; i++)
		if (mounts->list[i].id == id && mounts->list[i].id != 0)
			return true;
	return false;
}

bool
mounts_is_missing(const struct mounts *mounts)
{
	return mounts->missing;
}

static const char *
reason_text(enum reason reason)
{
	switch (reason) {
	case OFF:
		return "the gate is off";
	case KERNEL:
		return "the kernel's own";
	case FOREIGN:
		return "not a local file system";
	case EXCLUDED:
		return "excluded by [gate] exclude";
	case UNWATCHED:
		return "not named by [gate] watch";
	case BEHIND_FOREIGN:
		return "reached through a file system that is not local";
	case HIDDEN:
		return "hidden by another mount";
	case REFUSED:
		return "cannot be watched";
	case MISSING:
		return "named by [gate] watch";
	default:
		return "";
	}
}

static void
explain(const struct mount *mount, char *dst, size_t size)
{
	const char *text = reason_text(mount->reason);

	if (mount->error != 0)
		(void)snprintf(dst, size, "%s: %s", text,
			       strerror(mount->error));
	else if (mount->reason == COVERED)
		(void)str_copy(dst, size,
			       mount->kind == MOUNTINFO_NODES ?
				       "executions only" :
				       "");
	else
		(void)snprintf(dst, size, "%s (%s)", text, mount->type);
}

bool
mounts_get(const struct mounts *mounts, size_t i,
	   struct mounts_entry *ret_entry)
{
	if (i == mounts->len && mounts->beyond > 0) {
		*ret_entry = (struct mounts_entry){ .point = "..." };
		(void)snprintf(ret_entry->why, sizeof(ret_entry->why),
			       "%u more mounts: too many to follow",
			       mounts->beyond);
		return true;
	}
	if (i >= mounts->len)
		return false;
	const struct mount *mount = &mounts->list[i];
	*ret_entry = (struct mounts_entry){
		.point = mount->point,
		.covered = mount->reason == COVERED,
	};
	explain(mount, ret_entry->why, sizeof(ret_entry->why));
	return true;
}

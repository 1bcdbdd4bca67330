/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/keep/entry.h"

#include <errno.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "agent/lib/buf.h"
#include "agent/lib/file.h"
#include "agent/lib/str.h"

#define VERSION 1
#define LIST_MAX 65536 /* XATTR_LIST_MAX of linux/limits.h */
#define VALUE_MAX 65536
#define NAME_MAX_LEN 255
/* These make a file that nobody can remove or change. */
#define HARD_FLAGS (FS_IMMUTABLE_FL | FS_APPEND_FL)

void
entry_done(struct entry *entry)
{
	free(entry->xattrs);
	*entry = (struct entry){ 0 };
}

static int
read_xattr(struct entry *entry, struct buf *buf, int fd, const char *name,
	   uint8_t *value)
{
	ssize_t len = fgetxattr(fd, name, value, VALUE_MAX);

	/* Removed in between, or listed and not to be had. */
	if (len < 0 && (errno == ENODATA || errno == EOPNOTSUPP))
		return 0;
	if (len < 0)
		return errno == ERANGE ? -E2BIG : -errno;
	buf_put_text(buf, name);
	buf_put_bytes(buf, value, (size_t)len);
	if (buf->failed || ++entry->xattrs_len > ENTRY_XATTRS_MAX)
		return -E2BIG;
	return 0;
}

static int
read_xattrs(struct entry *entry, int fd)
{
	CLEANUP_FREE char *names = malloc(LIST_MAX);
	CLEANUP_FREE uint8_t *value = malloc(VALUE_MAX);
	struct buf buf;

	entry->xattrs = malloc(ENTRY_XATTR_BYTES);
	if (!names || !value || !entry->xattrs)
		return -ENOMEM;
	ssize_t size = flistxattr(fd, names, LIST_MAX);
	if (size < 0)
		return errno == EOPNOTSUPP ? 0 : -errno;
	buf_init_write(&buf, entry->xattrs, ENTRY_XATTR_BYTES);
	for (ssize_t at = 0; at < size; at += (ssize_t)strlen(names + at) + 1) {
		int r = read_xattr(entry, &buf, fd, names + at, value);
		if (r < 0)
			return r;
	}
	entry->xattrs_size = buf.at;
	return 0;
}

int
entry_read(struct entry *entry, int fd)
{
	struct stat st;
	int flags = 0;

	entry_done(entry);
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	entry->size = (uint64_t)st.st_size;
	entry->device = st.st_dev;
	entry->inode = st.st_ino;
	entry->mode = st.st_mode;
	entry->uid = st.st_uid;
	entry->gid = st.st_gid;
	entry->accessed = (struct entry_time){ st.st_atim.tv_sec,
					       (uint32_t)st.st_atim.tv_nsec };
	entry->modified = (struct entry_time){ st.st_mtim.tv_sec,
					       (uint32_t)st.st_mtim.tv_nsec };
	/* Most file systems have some, others none of these. */
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0)
		entry->flags = (uint32_t)flags;
	return read_xattrs(entry, fd);
}

static int
apply_xattrs(const struct entry *entry, int fd, bool partly,
	     uint32_t *ret_missing)
{
	struct buf buf;

	buf_init_read(&buf, entry->xattrs, entry->xattrs_size);
	for (uint32_t i = 0; i < entry->xattrs_len; i++) {
		size_t len;
		const char *name = buf_get_text(&buf, NAME_MAX_LEN);
		const uint8_t *value = buf_get_bytes(&buf, VALUE_MAX, &len);
		if (buf.failed)
			return -EBADMSG;
		if (fsetxattr(fd, name, value, len, 0) == 0)
			continue;
		if (!partly)
			return -errno;
		(*ret_missing)++;
	}
	return 0;
}

int
entry_apply(const struct entry *entry, int fd, bool partly,
	    uint32_t *ret_missing)
{
	struct timespec times[2] = {
		{ entry->accessed.seconds, entry->accessed.ns },
		{ entry->modified.seconds, entry->modified.ns },
	};

	*ret_missing = 0;
	/* A new owner takes file capabilities and the setuid bit away. */
	if (fchown(fd, entry->uid, entry->gid) < 0 ||
	    fchmod(fd, entry->mode & 07777) < 0)
		return -errno;
	int r = apply_xattrs(entry, fd, partly, ret_missing);
	if (r < 0)
		return r;
	return futimens(fd, times) < 0 ? -errno : 0;
}

int
entry_set_flags(const struct entry *entry, int fd)
{
	int flags = 0;

	if (!(entry->flags & HARD_FLAGS))
		return 0;
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
		return -errno;
	flags |= (int)(entry->flags & HARD_FLAGS);
	return ioctl(fd, FS_IOC_SETFLAGS, &flags) < 0 ? -errno : 0;
}

int
entry_clear_flags(const struct entry *entry, int fd)
{
	int flags = (int)(entry->flags & ~(uint32_t)HARD_FLAGS);

	if (!(entry->flags & HARD_FLAGS))
		return 0;
	return ioctl(fd, FS_IOC_SETFLAGS, &flags) < 0 ? -errno : 0;
}

static void
put_time(struct buf *buf, const struct entry_time *time)
{
	buf_put_u64(buf, (uint64_t)time->seconds);
	buf_put_u32(buf, time->ns);
}

static void
get_time(struct buf *buf, struct entry_time *time)
{
	time->seconds = (int64_t)buf_get_u64(buf);
	time->ns = buf_get_u32(buf);
}

void
entry_put(struct buf *buf, const struct entry *entry)
{
	buf_put_u16(buf, VERSION);
	buf_put_text(buf, entry->path);
	buf_put_text(buf, entry->rule);
	buf_put_text(buf, entry->sha256);
	buf_put_u64(buf, entry->when_ns);
	buf_put_u64(buf, entry->size);
	buf_put_u64(buf, entry->device);
	buf_put_u64(buf, entry->inode);
	buf_put_u32(buf, entry->mode);
	buf_put_u32(buf, entry->uid);
	buf_put_u32(buf, entry->gid);
	buf_put_u32(buf, entry->flags);
	put_time(buf, &entry->accessed);
	put_time(buf, &entry->modified);
	buf_put_u32(buf, entry->xattrs_len);
	buf_put_bytes(buf, entry->xattrs, entry->xattrs_size);
}

static int
get_xattrs(struct buf *buf, struct entry *entry)
{
	size_t len;

	entry->xattrs_len = buf_get_u32(buf);
	const uint8_t *bytes = buf_get_bytes(buf, ENTRY_XATTR_BYTES, &len);
	if (!buf_done(buf) || entry->xattrs_len > ENTRY_XATTRS_MAX)
		return -EBADMSG;
	entry->xattrs = malloc(len ? len : 1);
	if (!entry->xattrs)
		return -ENOMEM;
	memcpy(entry->xattrs, bytes, len);
	entry->xattrs_size = len;
	return 0;
}

int
entry_get(struct buf *buf, struct entry *ret_entry)
{
	struct entry *entry = ret_entry;

	entry_done(entry);
	if (buf_get_u16(buf) != VERSION)
		return -EBADMSG;
	(void)str_copy(entry->path, sizeof(entry->path),
		       buf_get_text(buf, ENTRY_PATH_MAX - 1));
	(void)str_copy(entry->rule, sizeof(entry->rule),
		       buf_get_text(buf, ENTRY_RULE_MAX - 1));
	(void)str_copy(entry->sha256, sizeof(entry->sha256),
		       buf_get_text(buf, ENTRY_SUM_SIZE - 1));
	entry->when_ns = buf_get_u64(buf);
	entry->size = buf_get_u64(buf);
	entry->device = buf_get_u64(buf);
	entry->inode = buf_get_u64(buf);
	entry->mode = buf_get_u32(buf);
	entry->uid = buf_get_u32(buf);
	entry->gid = buf_get_u32(buf);
	entry->flags = buf_get_u32(buf);
	get_time(buf, &entry->accessed);
	get_time(buf, &entry->modified);
	return get_xattrs(buf, entry);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is kept of a file beside its content, so that it can be made again to
 * the byte; the first piece of a file in quarantine.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

#define ENTRY_ID_SIZE 33    /* 128 random bits as digits, and a NUL */
#define ENTRY_PATH_MAX 4096 /* PATH_MAX of linux/limits.h */
#define ENTRY_RULE_MAX 1024 /* cut above */
#define ENTRY_SUM_SIZE 65
#define ENTRY_XATTRS_MAX 256
#define ENTRY_XATTR_BYTES (512 * 1024) /* names and values together */
/* All of the above fits: see crypt.h for the largest piece. */
#define ENTRY_SIZE_MAX (600 * 1024)

struct entry_time {
	int64_t seconds;
	uint32_t ns;
};

struct entry {
	char path[ENTRY_PATH_MAX];
	char rule[ENTRY_RULE_MAX]; /* why */
	char sha256[ENTRY_SUM_SIZE];
	uint64_t when_ns; /* wall clock */
	uint64_t size;
	uint64_t device, inode;
	uint32_t mode, uid, gid;
	uint32_t flags; /* FS_*_FL of linux/fs.h */
	struct entry_time accessed, modified;
	uint32_t xattrs_len;
	uint8_t *xattrs; /* owned: name, value, name, value, as in a buf */
	size_t xattrs_size;
};

void entry_done(struct entry *entry);

/*
 * Takes over what fd (readable) says of its file; path, rule, sha256 and
 * when_ns are the caller's to fill.  The device and the inode are what
 * fstat(2) says.  Returns 0; -EINVAL when it is no regular file; -E2BIG when
 * its attributes are too large; -ENOMEM; -errno.
 */
int entry_read(struct entry *entry, int fd);

/*
 * Gives fd's file mode, owner, times, extended attributes.  When `partly` is
 * set, attributes that the file system cannot keep are left out and counted
 * in *ret_missing.  Returns 0 or -errno.  What makes a file immutable is left
 * to entry_set_flags(), after everything else.
 */
int entry_apply(const struct entry *entry, int fd, bool partly,
		uint32_t *ret_missing);

/* FS_IMMUTABLE_FL and FS_APPEND_FL on, as the entry says.  0 or -errno. */
int entry_set_flags(const struct entry *entry, int fd);

/* Off, so that the file can be removed.  0 when there was nothing to do. */
int entry_clear_flags(const struct entry *entry, int fd);

void entry_put(struct buf *buf, const struct entry *entry);
/* Returns 0, -EBADMSG or -ENOMEM. */
int entry_get(struct buf *buf, struct entry *ret_entry);

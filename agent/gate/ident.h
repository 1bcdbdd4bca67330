/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a descriptor's file is, so that it can be known again: which file
 * (device, inode and the file system's own handle, which tells a reused inode
 * from the first one) and which content (size and times).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ext4 needs 8 bytes, tmpfs 12, xfs 24, btrfs 40, overlay up to 60. */
#define IDENT_HANDLE_MAX 64

struct ident {
	uint64_t device; /* makedev() form */
	uint64_t inode;
	uint64_t size;		    /* bytes */
	int64_t ctime_ns, mtime_ns; /* since the epoch; wraps in 2262 */
	uint32_t mode, uid, gid, links;
	uint64_t mount_id; /* of the descriptor; 0: the kernel tells none */
	int32_t handle_type;
	uint16_t handle_len; /* 0: the file system gives no handle */
	uint8_t handle[IDENT_HANDLE_MAX]; /* zero behind handle_len */
	int64_t read_ns; /* when this was so, by the clock of those times */
};

/*
 * Looks at a descriptor without asking a server or a user-space file system
 * for newer attributes: never waits.  Returns 0 or -errno of statx(2).
 */
int ident_read(int fd, struct ident *ret_ident);

/*
 * The same, of the descriptor that `before` was read from: as it keeps the file
 * in place, the handle is known.
 */
int ident_read_again(int fd, const struct ident *before,
		     struct ident *ret_ident);

/* Whether both are the same file, whatever it holds. */
bool ident_same_file(const struct ident *a, const struct ident *b);

/* Whether size and times are equal as well. */
bool ident_same_content(const struct ident *a, const struct ident *b);

/*
 * Whether a write(2) that began after this was read cannot have left the same
 * times: the last change is older than the grain of the file system's clock.
 */
bool ident_is_settled(const struct ident *ident);

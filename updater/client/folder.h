/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A folder of files that appear whole or not at all.  Names are single parts:
 * one with a '/' in it is refused, and no link is followed.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct folder {
	int fd;	  /* -1: closed */
	int temp; /* the file being written; -1: none */
};

/*
 * Opens it, relative to dir or AT_FDCWD, and waits until nobody else has it
 * open.  Returns 0 or -errno; folder_close() in any case.
 */
int folder_open(int dir, const char *path, struct folder *ret_folder);
void folder_close(struct folder *folder);

/*
 * The bytes of a regular file, to be freed with free().  Returns 0; -ENOENT;
 * -EFBIG when there are more than size_max; -ELOOP for a link; -errno.
 */
int folder_read(const struct folder *folder, const char *file, size_t size_max,
		uint8_t **ret_bytes, size_t *ret_len);

/*
 * A file piece by piece: nothing is to be seen of it before folder_end(), and
 * folder_begin() drops what was not ended.  Each returns 0 or -errno.
 */
int folder_begin(struct folder *folder);
int folder_add(struct folder *folder, const void *bytes, size_t len);
int folder_end(struct folder *folder, const char *file);
void folder_drop(struct folder *folder);

/* The three at once. */
int folder_write(struct folder *folder, const char *file, const void *bytes,
		 size_t len);

/* Returns 0, also when there was none, or -errno. */
int folder_remove(struct folder *folder, const char *file);

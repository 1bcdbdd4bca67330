/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parts of a file in memory: mapped read-only and private, or read, when they
 * are so small that a mapping would cost more than its bytes.
 *
 * A file that is cut short, or whose disk fails, while it is mapped raises
 * SIGBUS.  The handler puts zeroes where the bytes should have been, and the
 * reader goes on with them: nothing is left half done.  content_was_cut()
 * tells afterwards that what was read is not the file.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONTENT_OPEN_MAX 2 /* at once: head and tail of a file */
/* Where making and breaking a mapping costs as much as a copy. */
#define CONTENT_READ_MAX ((size_t)64 << 10)

struct content {
	const uint8_t *bytes; /* NULL when size is 0 */
	size_t size;
	void *map; /* where the mapping begins: pages are whole; NULL: read */
	size_t map_size;
	bool cut; /* what was read ended too early */
};

/* Catches SIGBUS from now on.  Returns 0 or -errno. */
int content_init(void);

/*
 * Takes `size` bytes from `at` on, which the file must have.  Returns 0, or
 * -errno of mmap(2) or pread(2): -EACCES or -EBADF when the descriptor may not
 * be read, -ENOMEM.
 */
int content_open(struct content *content, int fd, uint64_t at, size_t size);

/* Whether anything was missing since content_open(). */
bool content_was_cut(const struct content *content);

void content_close(struct content *content);

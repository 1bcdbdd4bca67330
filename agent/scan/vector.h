/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The test files that come with a release, packed, named by the hash of what
 * is in them: opened before the seal, unpacked behind it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "agent/scan/digest.h"

/* The bounds of a release; see updater/release/manifest.h. */
#define VECTOR_MAX 256
#define VECTOR_SIZE_MAX (16 * 1024 * 1024)
/* gzip adds 5 bytes to every 16 KiB that it cannot make smaller, and a head. */
#define VECTOR_PACKED_MAX (VECTOR_SIZE_MAX + VECTOR_SIZE_MAX / 1024 + 1024)

struct vector_file {
	char sha256[DIGEST_TEXT_SIZE];
	int fd; /* owned */
};

/* All zero before. */
struct vector {
	struct vector_file files[VECTOR_MAX];
	size_t len;
};

/*
 * Opens all beneath `path` of a release's folder.  What is not named as such a
 * file is passed over.  Returns 0, also when there is no such folder; -E2BIG;
 * -errno.
 */
int vector_open(struct vector *vector, int folder, const char *path);
void vector_done(struct vector *vector);

/*
 * Unpacks the file of that hash, which must have `size` bytes; the caller's, to
 * be freed with free().  Returns 0; -ENOENT; -EBADMSG: it is damaged, or
 * another file; -EFBIG; -ENOMEM; -errno.
 */
int vector_read(const struct vector *vector, const char *sha256, size_t size,
		uint8_t **ret_bytes);

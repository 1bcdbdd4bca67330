/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file of a release as the repository has it: packed, under the SHA-256 of
 * what it is unpacked.  So what an older release had is not fetched again.
 *
 * Errors as in gzip.h, and -EBADMSG when it is another file that was packed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "updater/release/gzip.h"

struct blob;
struct reason;

#define BLOB_NAME_SIZE 80 /* "blobs/", 64 digits, ".gz" */

/* 64 lower-case digits. */
bool blob_is_sum(const char *sha256);

/* The target's name.  Returns 0, or -EINVAL when it is no such sum. */
int blob_name(char dst[BLOB_NAME_SIZE], const char *sha256);

/*
 * Unpacks into sink and compares size and hash with those of the manifest.
 * The sink may have had wrong bytes before blob_end() says so: keep nothing
 * until then.  A NULL sink only checks.  Returns 0; -EINVAL; -ENOMEM; -EIO.
 */
int blob_new(const char *sha256, uint64_t size, gzip_sink sink, void *arg,
	     struct blob **ret_blob);
int blob_add(struct blob *blob, const void *bytes, size_t len,
	     struct reason *why);
int blob_end(struct blob *blob, struct reason *why);
void blob_free(struct blob *blob);
void blob_freep(struct blob **blob);

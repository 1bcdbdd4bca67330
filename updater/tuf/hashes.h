/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Length and hashes of a file, as another file gives them, and whether bytes
 * have them.  SHA-256 and SHA-512 are known; every known one must be right.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct doc_value;
struct reason;

#define HASHES_NONE (-1) /* of a length: none is given */

struct hashes {
	int64_t length;		     /* or HASHES_NONE */
	const struct doc_value *all; /* object of hashes; NULL: none given */
};

/*
 * Reads "length" and "hashes" of an object, both optional.  Returns 0, or
 * -EBADMSG when one is malformed.
 */
int hashes_parse(const struct doc_value *entry, struct hashes *ret_hashes,
		 struct reason *why);

/* The digits of a known hash, the strongest first; NULL: there is none. */
const char *hashes_text(const struct hashes *hashes);

/* Compares bytes as they come. */
struct hashes_sum;
/* hashes is borrowed until the end.  NULL: no memory. */
struct hashes_sum *hashes_sum_new(const struct hashes *hashes);
/* Returns 0; -EFBIG when that is more than the length; -EIO. */
int hashes_sum_add(struct hashes_sum *sum, const void *bytes, size_t len,
		   struct reason *why);
/*
 * Returns 0; -EBADE when length or a hash differs, or when hashes are given
 * and none of them is known; -EIO.
 */
int hashes_sum_end(struct hashes_sum *sum, struct reason *why);
void hashes_sum_free(struct hashes_sum *sum);
void hashes_sum_freep(struct hashes_sum **sum);

/* All at once. */
int hashes_check(const struct hashes *hashes, const void *bytes, size_t len,
		 struct reason *why);

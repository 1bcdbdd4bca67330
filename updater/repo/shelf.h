/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files that are no metadata: where each of them lies, published or
 * staged, under which name, and what is signed of it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "updater/repo/repo.h"

struct doc;
struct doc_value;
struct reason;

/* The role that lists a target of that name.  Returns 0, -ENOMEM, -EIO. */
int shelf_role(const char *name, enum duty_id *ret_id);

/* What `over`, or else `base`, says of a target; NULL: it is in neither. */
const struct doc_value *shelf_entry(const struct set *over,
				    const struct set *base, const char *name);

/* The path beneath targets/ of a target with that entry.  0 or -errno. */
int shelf_path(const char *name, const struct doc_value *entry, char *dst,
	       size_t size, struct reason *why);

/*
 * The bytes of a target that is staged in the area, or published: compared
 * with its entry, and to be freed with free().  Returns 0; -ENOENT; -EBADE;
 * -EFBIG; each with why.
 */
int shelf_read(const struct repo *repo, enum repo_area area, const char *name,
	       const struct doc_value *entry, size_t size_max,
	       uint8_t **ret_bytes, size_t *ret_len, struct reason *why);

/*
 * Puts a target's bytes into the area, unless they are published.  *ret_entry
 * is the caller's.  Returns 0 or -errno, with why.
 */
int shelf_write(const struct repo *repo, enum repo_area area, const char *name,
		const void *bytes, size_t len, struct doc **ret_entry,
		struct reason *why);

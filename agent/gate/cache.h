/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of files that were scanned: a table of fixed size, in sets of
 * a few entries each; a new entry takes the place of the one in its set that
 * was longest not asked for.
 *
 * The proof that an entry still holds is the fanotify queue: a close after
 * writing is read before the execution that follows it, and forgets the file.
 * Size and times are compared besides; ctime alone would be no proof.  A file
 * whose file system gives no handle is known by inode, size and times only,
 * which is enough to watch and would not be enough to permit.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ident;

/* In the order in which they make room for others. */
enum cache_verdict {
	CACHE_UNKNOWN = 0,
	CACHE_STEADY, /* clean; somebody had it open to write, and did not */
	CACHE_CLEAN,
	CACHE_CRASHES, /* ended the scanner that read it */
};

struct cache;

/*
 * A table of at least `len` entries, which never grows.  The secret keeps
 * others from choosing inodes that share a set.  NULL: no memory.
 */
struct cache *cache_new(size_t len, uint64_t secret);
void cache_free(struct cache *cache);

/*
 * What is known of exactly this content.  A clean or steady one counts only for
 * the rules' generation it was scanned with.
 */
enum cache_verdict cache_find(struct cache *cache, const struct ident *ident,
			      uint32_t generation);

void cache_add(struct cache *cache, const struct ident *ident,
	       uint32_t generation, enum cache_verdict verdict);

/*
 * The file was closed after writing: what was known of it is forgotten.  That
 * it ends scanners is kept when its size and times did not change.
 */
void cache_forget(struct cache *cache, const struct ident *ident);

/*
 * Forgets every clean file (the queue overflowed, so a close may be missing);
 * with `all` those that end scanners too.
 */
void cache_clear(struct cache *cache, bool all);

/* Entries in use. */
size_t cache_len(const struct cache *cache);

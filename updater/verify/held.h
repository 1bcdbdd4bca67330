/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the releases that are here have already, by its hash: it need not be
 * fetched again.  What lies there is read again before it is used: a disk may
 * have spoiled it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct held;

#define HELD_RELEASES_MAX 3 /* active, previous, staged */

/*
 * Reads what these releases (0: none) in the folder of releases have.  One
 * that cannot be read has nothing.  Returns 0 or -ENOMEM.
 */
int held_open(int releases, const int64_t *numbers, size_t len,
	      struct held **ret_held);
void held_close(struct held *held);
void held_closep(struct held **held);

/*
 * The raw rule file, or the packed vector, of that hash and size, under
 * another name, which is a path beneath dir.  Returns 0; -ENOENT when there is
 * none, or it is spoiled; -errno of making the name.
 */
int held_rule(const struct held *held, const char *sha256, uint64_t size,
	      int dir, const char *path);
int held_vector(const struct held *held, const char *sha256, uint64_t size,
		int dir, const char *path);

/* Whether there is one, without reading it. */
bool held_has_rule(const struct held *held, const char *sha256);
bool held_has_vector(const struct held *held, const char *sha256);

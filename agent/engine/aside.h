/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A store file that must not be used: telling it, and getting it out of the
   way without writing to it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * Looks at a store file without writing.  Returns 0 when it may be opened or
 * does not exist; -EUCLEAN when it is damaged (a whole check of the file only
 * when it is small: see ASIDE_CHECK_MAX); -ENOTSUP when a newer version wrote
 * it; other -errno when that cannot be told.
 */
int aside_check(const char *path);

/*
 * A whole check reads the file once: 32 MiB take about 0.1 s, and protection
 * does not wait for it.  Damage in a larger file is found when it is met.
 */
#define ASIDE_CHECK_MAX (32 * 1024 * 1024)

/*
 * Renames the file, and the log beside it, to "PATH.KIND-TIME".  Returns 0 and
 * the new name, or -errno.
 */
int aside_move(const char *path, const char *kind, int64_t wall_ns,
	       char *ret_name, size_t size);

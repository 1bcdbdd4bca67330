/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paths with '*' for any bytes of one component; nothing else is special.  "~/"
 * at the beginning is every user's home: the administrator's and those under
 * /home.  Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Whether a pattern may stand in a list: it begins with "/" or "~/", has no
 * empty component, and names its file, or its folder, or begins the file's name
 * with WILDCARD_HEAD bytes: of anything less the kernel would have to look at
 * every file.
 */
bool wildcard_is_valid(const char *text, size_t len);

#define WILDCARD_HEAD 3

/* Whether the path is one of the pattern's, which does not begin with "~". */
bool wildcard_matches(const char *pattern, const char *path);

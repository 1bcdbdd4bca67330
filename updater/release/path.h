/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a rule file lies in its release. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reason;

#define PATH_SIZE 201	    /* bytes of a path with its NUL */
#define PATH_FOLDERS_MAX 16 /* above the file, as in agent/scan/rules.h */

/*
 * Relative; valid UTF-8 without control characters and '\'; no part that is
 * empty or begins with a dot; ".yar" at its end.  There is no escape: a '%' is
 * a '%'.  Returns 0, or -EBADMSG and why.
 */
int path_check(const char *path, struct reason *why);

/*
 * Orders paths by their bytes, '/' before every other: so what lies in a
 * folder follows a file of the folder's name at once.
 */
int path_compare(const char *a, const char *b);
